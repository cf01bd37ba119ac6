internal import CSystem
public import EdgeCore
internal import Glibc

/// The listening sockets that a service manager opened and passed to this process (sd_listen_fds(3)).
///
/// They stay open for as long as this object lives: a reload may let go of one and take it up again, and the service manager holds
/// them as well.
public final class InheritedSockets: Sendable {
  private let passed: [PassedSocket]

  /// None, for a process that nobody passed any.
  public init() {
    passed = []
  }

  /// Takes over what LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES tell of, and takes these out of the environment: what this process
  /// starts inherits neither. Call it once, before other threads exist.
  public static func take() -> InheritedSockets {
    InheritedSockets(PassedDescriptors(ProcessEnvironment.take(PassedDescriptors.variableNames), processID: getpid()).all)
  }

  /// Takes over descriptors, nonblocking and close-on-exec from here on.
  init(_ descriptors: [(number: Int32, name: String?)]) {
    passed = descriptors.compactMap { number, name in
      guard let socket = try? Socket(adopting: number) else { return nil }
      return PassedSocket(name: name, socket: SharedSocket(socket))
    }
  }

  /// The socket that was passed under a name, or as the descriptor of a number.
  ///
  /// - Throws: `InheritedSocketError` unless exactly one was, and it is a stream socket that listens on TCP or a path.
  public func socket(_ name: String) throws(InheritedSocketError) -> InheritedSocket {
    let found = passed.filter { $0.name == name || String($0.number) == name }
    guard let first = found.first else { throw .missing(passed: passed.map(\.shownName)) }
    guard found.count == 1 else { throw .ambiguous(numbers: found.map(\.number)) }
    return try InheritedSocket(first.socket)
  }

  /// Those that none of these names stands for, as names: whoever connects to them waits for nobody.
  public func unused(by names: [String]) -> [String] {
    passed.filter { socket in !names.contains { $0 == socket.name || $0 == String(socket.number) } }.map(\.shownName)
  }
}

/// A stream socket that listens already, and where it does.
public struct InheritedSocket: Sendable {
  /// Where a socket listens.
  public enum Place: Sendable, Equatable, CustomStringConvertible {
    /// A TCP address and port.
    case tcp(IPAddress, port: UInt16)
    /// A Unix socket's path; empty for one without a file.
    case unix(path: String)

    /// `127.0.0.1:8443` or `unix:/path`.
    public var description: String {
      switch self {
      case .tcp(let address, let port): PeerAddress.ip(address, port: port).description
      case .unix(let path): "unix:\(path)"
      }
    }
  }

  /// The socket; clients of a TCP one get what `Socket.listen` would give them.
  public let socket: SharedSocket
  /// Where it listens.
  public let place: Place

  fileprivate init(_ socket: SharedSocket) throws(InheritedSocketError) {
    let descriptor = socket.socket.descriptor
    switch csystem_option(descriptor, SOL_SOCKET, SO_TYPE) {
    case Int32(SOCK_STREAM.rawValue): break
    case ..<0: throw .noSocket(number: descriptor)
    default: throw .noStream(number: descriptor)
    }
    guard csystem_option(descriptor, SOL_SOCKET, SO_ACCEPTCONN) == 1 else { throw .notListening(number: descriptor) }
    if let (address, port) = socket.socket.localAddress {
      place = .tcp(address, port: port)
      do throws(SystemError) { try socket.socket.setClientOptions() } catch { throw .system(error) }
    } else if let path = socket.socket.localPath {
      place = .unix(path: path)
    } else {
      throw .otherFamily(number: descriptor)
    }
    self.socket = socket
  }
}

/// Why no passed socket can be used under a name.
public enum InheritedSocketError: Error, Equatable, CustomStringConvertible {
  /// None has this name or number; those that were passed have others.
  case missing(passed: [String])
  /// Several have this name.
  case ambiguous(numbers: [Int32])
  /// The descriptor is no socket.
  case noSocket(number: Int32)
  /// The socket keeps datagrams.
  case noStream(number: Int32)
  /// The socket is somebody's connection, or bound only.
  case notListening(number: Int32)
  /// The socket is neither TCP nor Unix.
  case otherFamily(number: Int32)
  /// The system refused.
  case system(SystemError)

  /// One line for an operator.
  public var description: String {
    switch self {
    case .missing(passed: []): "no socket was passed; start the socket unit, which starts the service"
    case .missing(let passed): "no such socket was passed, but \(passed.joined(separator: ", "))"
    case .ambiguous(let numbers):
      "\(numbers.count) sockets have this name; give each a FileDescriptorName= of its own, or say "
        + numbers.map { "fd://\($0)" }.joined(separator: " or ")
    case .noSocket(let number): "descriptor \(number) is no socket"
    case .noStream(let number): "descriptor \(number) is no stream socket; expected ListenStream= in the socket unit"
    case .notListening(let number): "descriptor \(number) does not listen; expected Accept=no in the socket unit"
    case .otherFamily(let number): "descriptor \(number) is neither a TCP nor a Unix socket"
    case .system(let error): "\(error)"
    }
  }

  /// Whether two errors say the same.
  public static func == (one: InheritedSocketError, other: InheritedSocketError) -> Bool {
    one.description == other.description
  }
}

/// What the environment tells of descriptors: those from 3 on, and their names.
struct PassedDescriptors: Equatable {
  var numbers: Range<Int32> = firstPassedDescriptor..<firstPassedDescriptor
  /// As many as numbers, or none.
  var names: [String] = []

  static let variableNames = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]

  /// Those that are meant for this process. A telling that makes no sense tells of none.
  init(_ variables: [String: String], processID: Int32) {
    guard let process = variables["LISTEN_PID"].flatMap({ Int32($0) }), process == processID,
      let count = variables["LISTEN_FDS"].flatMap({ Int32($0) }), (1...maxPassedDescriptors).contains(count)
    else { return }
    numbers = firstPassedDescriptor..<firstPassedDescriptor + count
    let names = variables["LISTEN_FDNAMES"]?.split(separator: ":", omittingEmptySubsequences: false) ?? []
    if names.count == numbers.count { self.names = names.map(String.init) }
  }

  /// Each number, with its name where they have names.
  var all: [(number: Int32, name: String?)] {
    numbers.enumerated().map { index, number in (number, names.indices.contains(index) ? names[index] : nil) }
  }
}

private struct PassedSocket: Sendable {
  let name: String?
  let socket: SharedSocket

  var number: Int32 { socket.socket.descriptor }
  var shownName: String { "fd://\(name.flatMap { $0.isEmpty ? nil : $0 } ?? String(number))" }
}

/// SD_LISTEN_FDS_START.
private let firstPassedDescriptor: Int32 = 3
/// More than anybody has listeners.
private let maxPassedDescriptors: Int32 = 1024
