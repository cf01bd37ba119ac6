/// What a worker answers: a response without its body.
public struct ResponseHead: Hashable, Sendable {
  /// The status code, 100–599.
  public let status: Int
  /// The reason phrase, possibly empty, in Latin-1 scalars.
  public let reason: String
  /// The version of the status line.
  public let version: HTTPVersion
  /// The fields as they came, the hop-by-hop ones included.
  public var fields: HTTPFields

  /// Makes a head; without a reason, the standard phrase of the status.
  public init(status: Int, reason: String? = nil, version: HTTPVersion = .http11, fields: HTTPFields = [:]) {
    precondition((100...599).contains(status))
    self.status = status
    self.reason = HTTPField.writableText(reason ?? HTTPStatus.reasonPhrase(status))
    self.version = version
    self.fields = fields
  }

  /// Whether another answer to the same request follows: 100 and 103, but not 101.
  public var isInterim: Bool { status < 200 && status != 101 }

  /// Whether the sender takes another request on this connection (RFC 9112 §9.3).
  public var allowsKeepAlive: Bool {
    if fields.containsToken("close", in: "Connection") { return false }
    switch version {
    case .http11, .http2: return true
    case .http10: return fields.containsToken("keep-alive", in: "Connection")
    }
  }

  /// How the body is delimited (RFC 9112 §6.3).
  ///
  /// - Parameter requestMethod: the method of the request that this answers.
  /// - Throws: what is wrong with Content-Length or Transfer-Encoding; the client gets 502.
  public func bodyFraming(requestMethod: String) throws(HTTPParseError) -> BodyFraming {
    let announced = try BodyFraming(announcedBy: fields, version: version)
    if requestMethod == "HEAD" || status < 200 || status == 204 || status == 304 { return .none }
    return announced == .none ? .untilClose : announced
  }

  /// Adds the head as bytes: status line, fields and the empty line. Nothing is added to or taken from the fields.
  public func serialize(into bytes: inout [UInt8]) {
    bytes.append(latin1: version.rawValue)
    bytes.append(UInt8(ascii: " "))
    bytes.append(latin1: String(status))
    bytes.append(UInt8(ascii: " "))
    bytes.append(latin1: reason)
    bytes.appendLineEnding()
    fields.serialize(into: &bytes)
  }
}
