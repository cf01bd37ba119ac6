public import EdgeAuth
public import EdgeRouting

extension Configuration {
  /// Which requests go to which pool, and under what policy.
  public struct Route: Sendable, Equatable {
    /// Names the route in metrics and logs.
    public internal(set) var name: String
    /// Which requests it takes.
    public internal(set) var match: RoutePattern
    /// The pool that serves it; one of `Configuration.pools`.
    public internal(set) var pool: String
    /// The check its clients must pass, a key of `Configuration.auth`; nil leaves the route open.
    public internal(set) var auth: String?
    /// The web pages that may connect: the keys `origins`, `origin_missing` and `origin_null`.
    public internal(set) var origins: OriginRule
    /// How a refused upgrade is told to the client.
    public internal(set) var reject: Rejections
    /// The subprotocols that are offered to workers, of those a client offers; empty passes all.
    public internal(set) var subprotocols: [String]
    /// The longest message in bytes, in either direction.
    public internal(set) var maxMessage: Int
    /// How many bytes may wait for one client.
    public internal(set) var maxSendQueue: Int
    /// Whether text messages must be UTF-8 (RFC 6455 §8.1).
    public internal(set) var checkUTF8: Bool
    /// How many messages a connection may send in a time; nil for any.
    public internal(set) var messages: MeteredLimit?
    /// How many payload bytes a connection may send in a time; nil for any.
    public internal(set) var bytes: MeteredLimit?
    /// Whether clients are told of throttling and of their token's end.
    public internal(set) var notice: Notice
    /// Whether a client may renew its token within the connection.
    public internal(set) var renew: Renewal
    /// When the edge pings a silent client.
    public internal(set) var ping: Ping
    /// A connection without a message for so long is closed with `closeCodes.idle`.
    public internal(set) var idleTimeout: Duration
    /// What is changed in the request that a worker gets.
    public internal(set) var headers: Headers
    /// The codes of Close frames that the edge itself decides on.
    public internal(set) var closeCodes: CloseCodes
  }

  /// How a refused upgrade is told to the client.
  public enum RejectStyle: String, Sendable, CaseIterable {
    /// By an HTTP status, which page scripts see as 1006 only.
    case http
    /// By accepting the upgrade and closing it with a code that scripts can read.
    case close
  }

  /// How a refused upgrade is told, by reason.
  public struct Rejections: Sendable, Equatable {
    /// The origin may not connect.
    public internal(set) var origin: RejectStyle
    /// The token is missing, invalid or expired.
    public internal(set) var auth: RejectStyle
    /// A limit is reached.
    public internal(set) var rate: RejectStyle
    /// A rule bans the client.
    public internal(set) var banned: RejectStyle
  }

  /// Whether clients are told of throttling and of their token's end.
  public enum Notice: String, Sendable, CaseIterable {
    /// They are not.
    case none
    /// By JSON text messages between the worker's own.
    case envelope
  }

  /// Whether a client may renew its token within the connection.
  public enum Renewal: String, Sendable, CaseIterable {
    /// It connects again.
    case none
    /// By a JSON text message.
    case message
  }

  /// When the edge pings a silent client.
  public struct Ping: Sendable, Equatable {
    /// How long a client may be silent before it is pinged.
    public internal(set) var interval: Duration
    /// How long the answer may take.
    public internal(set) var timeout: Duration
  }
}
