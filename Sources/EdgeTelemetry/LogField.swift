/// A field's name. Only names written in source code can be made, so none comes from a peer, and none needs an escape.
public struct LogField: Sendable {
  /// The name as it stands in the program.
  let name: StaticString
  /// Whether its text may be a request's target, whose query nobody is to see.
  let holdsTarget: Bool

  /// Makes a field that has no constant below.
  public init(_ name: StaticString) {
    self.init(name, holdsTarget: false)
  }

  private init(_ name: StaticString, holdsTarget: Bool) {
    self.name = name
    self.holdsTarget = holdsTarget
  }
}

/// The fields of operators.md (logs): OpenTelemetry names where they exist.
extension LogField {
  /// The connection's identifier, as the admin API takes it.
  public static let connectionID = LogField("conn.id")
  /// The request's `X-Request-ID`.
  public static let requestID = LogField("http.request.id")
  /// The trace, from `traceparent`.
  public static let traceID = LogField("trace_id")
  /// The edge's span in it.
  public static let spanID = LogField("span_id")
  /// Who connects, after trusted proxies were believed.
  public static let clientAddress = LogField("client.address")
  /// Who holds the other end of the TCP connection.
  public static let peerAddress = LogField("network.peer.address")
  /// The HTTP version, `1.1` or `2`.
  public static let protocolVersion = LogField("network.protocol.version")
  /// The TLS version, `1.2` or `1.3`.
  public static let tlsVersion = LogField("tls.version")
  /// The host that was asked for.
  public static let serverAddress = LogField("server.address")
  /// The path in its normal form, without query.
  public static let urlPath = LogField("url.path", holdsTarget: true)
  /// The request's method.
  public static let method = LogField("http.request.method")
  /// The answer's status.
  public static let status = LogField("http.response.status_code")
  /// The request's `Origin`.
  public static let origin = LogField("origin")
  /// The verified user.
  public static let userID = LogField("user.id")
  /// The route's name.
  public static let route = LogField("route")
  /// The listener's name.
  public static let listener = LogField("listener")
  /// The pool's name.
  public static let pool = LogField("pool")
  /// The worker's socket path.
  public static let worker = LogField("worker")
  /// How a handshake ended: the word of `HandshakeResult`.
  public static let outcome = LogField("outcome")
  /// The close code that the client saw.
  public static let closeCode = LogField("close.code")
  /// The reason beside it.
  public static let closeReason = LogField("close.reason")
  /// Who ended the connection.
  public static let closeInitiator = LogField("close.initiator")
  /// How long it lasted, in seconds.
  public static let duration = LogField("duration_s")
  /// Messages from the client.
  public static let messagesIn = LogField("messages_in")
  /// Messages to the client.
  public static let messagesOut = LogField("messages_out")
  /// Payload bytes from the client.
  public static let bytesIn = LogField("bytes_in")
  /// Payload bytes to the client.
  public static let bytesOut = LogField("bytes_out")
  /// Messages, or log lines, that were dropped.
  public static let dropped = LogField("dropped")
  /// How many like it were not logged one by one.
  public static let suppressed = LogField("suppressed")
  /// The name of an `auth`.
  public static let auth = LogField("auth")
  /// The error's word.
  public static let errorType = LogField("error.type")
}
