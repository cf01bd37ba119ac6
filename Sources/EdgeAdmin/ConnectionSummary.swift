public import EdgeCore

/// What an operator sees of one connection.
public struct ConnectionSummary: ListedConnection, Equatable, Sendable {
  /// Where a connection is in its life.
  public enum State: String, Sendable {
    /// Messages pass.
    case open
    /// A Close was sent; the peer's answer is awaited.
    case closing
    /// It is over.
    case closed
  }

  /// The connection's name.
  public var id: ConnectionID
  /// Where it is in its life.
  public var state: State
  /// The listener's name.
  public var listener: String
  /// The route's name.
  public var route: String
  /// The worker's socket path.
  public var worker: String
  /// The verified user; nil on an open route.
  public var user: String?
  /// Who connects, after trusted proxies were believed; nil for a peer on a Unix socket.
  public var clientAddress: IPAddress?
  /// The request's `Origin`, if it had one.
  public var origin: String?
  /// `http/1.1` or `h2`.
  public var clientProtocol: String
  /// `1.2` or `1.3`; nil without TLS.
  public var tlsVersion: String?
  /// When the handshake was accepted.
  public var opened: Moment
  /// When the last message passed, either way; the opening counts as one.
  public var lastMessage: Instant
  /// Messages and payload bytes from the client.
  public var received = Traffic()
  /// Messages and payload bytes to the client.
  public var sent = Traffic()
  /// Bytes that wait because a peer is slow.
  public var queuedBytes = 0
  /// Whether the client is beyond a limit: it waits, or something of its was thrown away a moment ago.
  public var isThrottled = false
  /// What an operator has put on this connection alone.
  public var throttle: ConnectionThrottle?
  /// How it ended; nil while it has not.
  public var end: End?

  /// Messages and their payload bytes.
  public struct Traffic: Equatable, Sendable {
    /// Whole messages.
    public var messages: UInt64
    /// Payload bytes.
    public var bytes: UInt64

    /// Makes a count.
    public init(messages: UInt64 = 0, bytes: UInt64 = 0) {
      self.messages = messages
      self.bytes = bytes
    }
  }

  /// How a connection ended.
  public struct End: Equatable, Sendable {
    /// When.
    public var at: Moment
    /// The close code that the client saw.
    public var code: UInt16
    /// Why, as it was said.
    public var reason: String
    /// Who ended it.
    public var initiator: Initiator

    /// Makes an end.
    public init(at: Moment, code: UInt16, reason: String, initiator: Initiator) {
      self.at = at
      self.code = code
      self.reason = reason
      self.initiator = initiator
    }
  }

  /// Makes the summary of a connection that has just opened.
  public init(
    id: ConnectionID, listener: String, route: String, worker: String, user: String?, clientAddress: IPAddress?,
    origin: String?, clientProtocol: String, tlsVersion: String?, opened: Moment
  ) {
    self.id = id
    state = .open
    self.listener = listener
    self.route = route
    self.worker = worker
    self.user = user
    self.clientAddress = clientAddress
    self.origin = origin
    self.clientProtocol = clientProtocol
    self.tlsVersion = tlsVersion
    self.opened = opened
    lastMessage = opened.instant
  }

  /// When it ended.
  public var ended: Instant? { end?.at.instant }

  /// The connection as the API shows it; `now` is for its age.
  func json(now: Instant) -> JSON {
    let last = ended ?? now
    var json: [JSON.Member] = [
      .init(name: "id", value: .string(id.description)),
      .init(name: "state", value: .string(state.rawValue)),
      .init(name: "listener", value: .string(listener)),
      .init(name: "route", value: .string(route)),
      .init(name: "worker", value: .string(worker)),
      .init(name: "user", value: user.map(JSON.string) ?? .null),
      .init(name: "client_address", value: clientAddress.map { .string($0.description) } ?? .null),
      .init(name: "origin", value: origin.map(JSON.string) ?? .null),
      .init(name: "protocol", value: .string(clientProtocol)),
      .init(name: "tls_version", value: tlsVersion.map(JSON.string) ?? .null),
      .init(name: "opened_at", value: .string(opened.wallTime.rfc3339)),
      .init(name: "age_seconds", value: seconds(from: opened.instant, to: last)),
      .init(name: "idle_seconds", value: seconds(from: lastMessage, to: last)),
      .init(name: "messages_in", value: .integer(Int64(clamping: received.messages))),
      .init(name: "messages_out", value: .integer(Int64(clamping: sent.messages))),
      .init(name: "bytes_in", value: .integer(Int64(clamping: received.bytes))),
      .init(name: "bytes_out", value: .integer(Int64(clamping: sent.bytes))),
      .init(name: "queued_bytes", value: .integer(Int64(queuedBytes))),
      .init(name: "throttled", value: .bool(isThrottled)),
      .init(name: "throttle", value: throttle?.json ?? .null),
    ]
    if let end {
      json.append(.init(name: "closed_at", value: .string(end.at.wallTime.rfc3339)))
      json.append(.init(name: "close_code", value: .integer(Int64(end.code))))
      json.append(.init(name: "close_reason", value: .string(end.reason)))
      json.append(.init(name: "close_initiator", value: .string(end.initiator.rawValue)))
    }
    return .object(json)
  }
}

/// Seconds with three decimals; zero where `end` comes before `start`.
func seconds(from start: Instant, to end: Instant) -> JSON {
  .number(Double(max(0, (end - start).nanoseconds) / 1_000_000) / 1_000)
}
