internal import CSystem
public import EdgeCore
internal import Glibc

/// The service manager that started this process and wants to know how it is (sd_notify(3)).
///
/// Telling never waits. What cannot be sent at once, for the manager is behind, is sent before whatever is told next.
public final class ServiceManager: Sendable {
  /// How long it goes without `ServiceNotice.alive` before it takes the process for hung; nil where it does not watch.
  public let watchdogInterval: Duration?
  private let address: String
  private let channel: DatagramChannel
  private let unsent = Guarded<[String]>([])

  /// The one that NOTIFY_SOCKET names, nil where nobody wants to know. It is taken out of the environment, with what says how long
  /// it waits: children have nothing to tell it. Call it once, before other threads exist.
  public static func take() -> ServiceManager? {
    let variables = ProcessEnvironment.take(["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"])
    return ServiceManager(variables, processID: getpid())
  }

  init?(_ variables: [String: String], processID: Int32) {
    guard let address = variables["NOTIFY_SOCKET"], address.hasPrefix("/") || address.hasPrefix("@"), address.utf8.count > 1,
      let channel = try? DatagramChannel()
    else { return nil }
    self.address = address
    self.channel = channel
    let isWatched = variables["WATCHDOG_PID"].map { $0 == String(processID) } ?? true
    let microseconds = variables["WATCHDOG_USEC"].flatMap { Int64($0) } ?? 0
    watchdogInterval = isWatched && microseconds > 0 ? .microseconds(microseconds) : nil
  }

  /// Tells these things at once, in one datagram; with none, only what could not be sent before.
  public func tell(_ notices: [ServiceNotice]) {
    unsent.withLock { unsent in
      if !notices.isEmpty { unsent.append(notices.map(\.line).joined(separator: "\n")) }
      while let message = unsent.first, channel.send(message, to: address) { unsent.removeFirst() }
      // What is told again anyway need not wait; what is told once is never so much.
      if !notices.contains(where: \.isToldOnce), !notices.isEmpty, !unsent.isEmpty { unsent.removeLast() }
      if unsent.count > maxUnsent { unsent.removeFirst() }
    }
  }
}

/// Something that a service manager understands (sd_notify(3)).
public enum ServiceNotice: Sendable, Equatable {
  /// The service serves, for the first time or after a reload.
  case ready
  /// A reload has begun, at this time.
  case reloading(Instant)
  /// The service ends.
  case stopping
  /// How it is, in one line for people.
  case status(String)
  /// What goes on takes longer: this much more from now on, whatever was agreed.
  case extendTimeout(Duration)
  /// A sign of life for the watchdog.
  case alive

  /// The assignment that says so.
  var line: String {
    switch self {
    case .ready: "READY=1"
    case .reloading(let began): "RELOADING=1\nMONOTONIC_USEC=\(began.nanoseconds / 1000)"
    case .stopping: "STOPPING=1"
    case .status(let text): "STATUS=" + String(decoding: text.utf8.map { $0 < 0x20 ? 0x20 : $0 }, as: UTF8.self)
    case .extendTimeout(let duration): "EXTEND_TIMEOUT_USEC=\(duration.nanoseconds / 1000)"
    case .alive: "WATCHDOG=1"
    }
  }

  fileprivate var isToldOnce: Bool {
    switch self {
    case .ready, .reloading, .stopping: true
    case .status, .extendTimeout, .alive: false
    }
  }
}

/// A Unix socket that sends datagrams.
private struct DatagramChannel: ~Copyable, Sendable {
  private let descriptor: Int32

  init() throws(SystemError) {
    descriptor = csystem_datagram_socket()
    guard descriptor >= 0 else { throw SystemError.last("socket") }
  }

  deinit {
    close(descriptor)
  }

  /// - Returns: false if there is no room now; a manager that is gone has heard it as well as it can.
  func send(_ text: String, to address: String) -> Bool {
    let count = retryingInterrupts { unsafe csystem_send_datagram(descriptor, address, text, text.utf8.count) }
    return count >= 0 || (errno != EAGAIN && errno != ENOBUFS)
  }
}

private let maxUnsent = 16
