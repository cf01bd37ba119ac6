public import EdgeCore

/// A socket that the admin plane accepts on. Whoever made it gives it away: the server closes it.
public struct AdminListener: Sendable {
  /// The kind of socket, which decides how a peer shows who they are.
  public enum Kind: Sendable {
    /// A Unix socket: the kernel names the peer's user.
    case unix
    /// A TCP socket: a token names the peer.
    case tcp
  }

  /// A stream socket that listens already.
  public var descriptor: Int32
  /// The kind of socket.
  public var kind: Kind
  /// What is served on it.
  public var scope: AdminAPI.Scope

  /// Makes a listener of a socket that listens already.
  public init(descriptor: Int32, kind: Kind, scope: AdminAPI.Scope = .full) {
    self.descriptor = descriptor
    self.kind = kind
    self.scope = scope
  }
}

/// What the admin plane asks of the system.
public struct AdminEnvironment: Sendable {
  /// The monotonic clock.
  public var now: @Sendable () -> Instant
  /// The user at the other end of a connected Unix socket (`SO_PEERCRED`); nil if the kernel cannot tell.
  public var peerUserID: @Sendable (_ descriptor: Int32) -> UInt32?

  /// Makes an environment.
  public init(now: @escaping @Sendable () -> Instant, peerUserID: @escaping @Sendable (_ descriptor: Int32) -> UInt32?) {
    self.now = now
    self.peerUserID = peerUserID
  }
}

/// The admin plane's servers: one thread for each listener, none of them a reactor.
///
/// Each listener carries at most 64 connections, each with 32 KiB for its head, ten seconds of silence
/// and twenty for a whole request. Without TLS: listen on
/// loopback or a Unix socket.
public final class AdminServer {
  private var daemons: [AdminDaemon] = []

  /// Starts serving.
  ///
  /// - Parameters:
  ///   - listeners: sockets that listen. They belong to the server from here on, even when this throws.
  ///   - api: what answers.
  /// - Throws: `AdminServerError` when libmicrohttpd cannot start. No listener is served then; the process is expected to end.
  public init(listeners: [AdminListener], api: AdminAPI, environment: AdminEnvironment) throws(AdminServerError) {
    for listener in listeners {
      daemons.append(try AdminDaemon(AdminShell(listener: listener, api: api, environment: environment)))
    }
  }

  /// Cuts off clients that send a request, or take an answer, so slowly that they only hold a connection. Call it once a second.
  public func endSlowConnections() {
    for daemon in daemons { daemon.endSlowConnections() }
  }

  /// Stops serving: waits for answers that are being made, then closes the sockets and every connection. Idle ones do
  /// not hold it up.
  public func stop() {
    daemons = []
  }
}

/// Why the admin plane could not start.
public enum AdminServerError: Error, Equatable, Sendable, CustomStringConvertible {
  /// libmicrohttpd did not start on this socket: out of threads, descriptors or memory, or it does not listen.
  case cannotStart(descriptor: Int32)

  /// One sentence.
  public var description: String {
    switch self {
    case .cannotStart(let descriptor): "libmicrohttpd could not start on descriptor \(descriptor)"
    }
  }
}
