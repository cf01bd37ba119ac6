public import EdgeCore

/// An answer that the edge gives itself: a status, a word for machines and a sentence for people.
///
/// The body is a problem of RFC 9457: `{"type":"about:blank","title":"Forbidden","status":403,"code":"origin_denied","detail":…}`.
/// It is never cached.
public struct EdgeResponse: Hashable, Sendable {
  /// The status, 200–599 (never 204 or 304).
  public var status: Int
  /// The word that logs and metrics know it by.
  public var code: String
  /// What went wrong and what to do, in one sentence without secrets.
  public var detail: String
  /// When to try again, in seconds.
  public var retryAfterSeconds: Int?
  /// What names the request in logs.
  public var requestID: String?
  /// When the answer is made.
  public var date: WallTime?
  /// Whether the connection ends after it.
  public var closesConnection: Bool
  /// More fields.
  public var fields: HTTPFields

  /// Makes an answer.
  public init(
    status: Int, code: String, detail: String, retryAfterSeconds: Int? = nil, requestID: String? = nil, date: WallTime? = nil,
    closesConnection: Bool = false, fields: HTTPFields = [:]
  ) {
    self.status = status
    self.code = code
    self.detail = detail
    self.retryAfterSeconds = retryAfterSeconds
    self.requestID = requestID
    self.date = date
    self.closesConnection = closesConnection
    self.fields = fields
  }

  /// The answer to a request that cannot be read. The connection ends, since nobody knows where the next request begins.
  public init(parseError error: HTTPParseError) {
    self.init(
      status: error.status, code: error.code, detail: "This is not HTTP/1.1 as strictly as this server reads it (RFC 9112).",
      closesConnection: true)
  }

  /// The answer to a WebSocket version other than 13, or to a plain request where only WebSocket is served (RFC 6455 §4.4).
  public static func upgradeRequired(code: String, detail: String) -> EdgeResponse {
    EdgeResponse(
      status: 426, code: code, detail: detail, fields: ["Upgrade": "websocket", "Sec-WebSocket-Version": "13"])
  }

  /// Head and body.
  ///
  /// - Parameter request: what it answers, if that could be read. HEAD gets no body; a client that asked for the end of the
  ///   connection, or one of HTTP/1.0 that asked for more, hears what becomes of it.
  public func message(answering request: RequestHead? = nil) -> (head: ResponseHead, body: [UInt8]) {
    let problem: JSON = [
      "type": "about:blank", "title": .string(HTTPStatus.reasonPhrase(status)), "status": .integer(Int64(status)),
      "code": .string(code), "detail": .string(detail),
    ]
    let body = problem.encoded() + [UInt8(ascii: "\n")]
    let head = ResponseHead(status: status, fields: allFields(bodyBytes: body.count, request: request))
    return (head, request?.method == "HEAD" ? [] : body)
  }

  /// Adds head and body as bytes.
  ///
  /// - Parameter request: see `message(answering:)`.
  public func serialize(into bytes: inout [UInt8], answering request: RequestHead? = nil) {
    let (head, body) = message(answering: request)
    head.serialize(into: &bytes)
    bytes += body
  }

  private func allFields(bodyBytes: Int, request: RequestHead?) -> HTTPFields {
    var all = fields
    if let date { all.set("Date", HTTPDate.text(date)) }
    all.set("Content-Type", "application/problem+json")
    all.set("Content-Length", String(bodyBytes))
    all.set("Cache-Control", "no-store")
    all.set("X-Content-Type-Options", "nosniff")
    if let retryAfterSeconds { all.set("Retry-After", String(retryAfterSeconds)) }
    if let requestID { all.set("X-Request-ID", requestID) }
    let keepsAlive = !closesConnection && request?.wantsKeepAlive ?? true
    var options = connectionOptions(keepsAlive: keepsAlive, version: request?.version ?? .http11)
    if all.contains("Upgrade") { options.append("upgrade") }
    if !options.isEmpty { all.set("Connection", options.joined(separator: ", ")) }
    return all
  }
}
