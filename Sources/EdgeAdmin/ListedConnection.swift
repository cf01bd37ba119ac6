public import EdgeCore

/// A connection as far as a list of all has to know it: whether it is meant, and where it stands.
///
/// Of the thousands that there are a page shows a few, so most are asked for one thing alone: each is told only when it is asked for.
public protocol ListedConnection {
  /// The connection's name.
  var id: ConnectionID { get }
  /// The verified user; nil on an open route.
  var user: String? { get }
  /// Who connects, after trusted proxies were believed; nil for a peer on a Unix socket.
  var clientAddress: IPAddress? { get }
  /// The route's name.
  var route: String { get }
  /// The worker's socket path.
  var worker: String { get }
  /// The request's `Origin`, if it had one.
  var origin: String? { get }
  /// When the handshake was accepted.
  var opened: Moment { get }
  /// When the last message passed, either way; the opening counts as one.
  var lastMessage: Instant { get }
  /// When it ended; nil while it has not.
  var ended: Instant? { get }
  /// Messages and payload bytes from the client.
  var received: ConnectionSummary.Traffic { get }
  /// Messages and payload bytes to the client.
  var sent: ConnectionSummary.Traffic { get }
  /// Bytes that wait because a peer is slow.
  var queuedBytes: Int { get }
  /// Whether the client is beyond a limit.
  var isThrottled: Bool { get }
}
