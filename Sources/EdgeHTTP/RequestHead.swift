internal import EdgeCore

/// The version that a message names in its first line, or that its stream is of.
public enum HTTPVersion: String, Hashable, Sendable {
  /// HTTP/1.0: no chunks, no interim answers, closed after the answer unless asked otherwise.
  case http10 = "HTTP/1.0"
  /// HTTP/1.1.
  case http11 = "HTTP/1.1"
  /// HTTP/2, as the edge itself sees it: every part is a frame's or a stream's, none of it in the head.
  case http2 = "HTTP/2"
}

/// What a client asks for: a request without its body, checked and in normal form.
public struct RequestHead: Hashable, Sendable {
  /// The method, in its own case.
  public let method: String
  /// Path and query in normal form.
  public var target: RequestTarget
  /// The version that it came by.
  public let version: HTTPVersion
  /// Host and port from the absolute-form target, `:authority` or the Host field; nil only for HTTP/1.0.
  public let authority: Authority?
  /// The fields as they came, the hop-by-hop ones included. Framing fields here are history: `bodyFraming` holds.
  public var fields: HTTPFields
  /// How the body is delimited.
  public let bodyFraming: BodyFraming

  /// Makes a head from parts that are checked already.
  public init(
    method: String, target: RequestTarget, version: HTTPVersion = .http11, authority: Authority?, fields: HTTPFields = [:],
    bodyFraming: BodyFraming = .none
  ) {
    precondition(HTTPField.isValidName(method))
    self.method = method
    self.target = target
    self.version = version
    self.authority = authority
    self.fields = fields
    self.bodyFraming = bodyFraming
  }

  /// The host in normal form, without port.
  public var host: String? { authority?.host }

  /// Whether the client wants to send another request on this connection (RFC 9112 §9.3).
  public var wantsKeepAlive: Bool {
    if fields.containsToken("close", in: "Connection") { return false }
    switch version {
    case .http11, .http2: return true
    case .http10: return fields.containsToken("keep-alive", in: "Connection")
    }
  }

  /// Whether the client holds its body back until it sees 100 (RFC 9110 §10.1.1). Never so for HTTP/1.0 or without a body.
  public var expectsContinue: Bool {
    version != .http10 && bodyFraming != .none && bodyFraming != .length(0) && fields.containsToken("100-continue", in: "Expect")
  }

  /// The client's own request identifier, if it sent exactly one of 1–128 letters, digits, `.`, `_` and `-`.
  public var requestID: String? {
    guard case .once(let value) = fields.sole("X-Request-ID"), (1...128).contains(value.utf8.count) else { return nil }
    return value.utf8.allSatisfy { ASCII.isUnreserved($0) && $0 != UInt8(ascii: "~") } ? value : nil
  }

  /// The client's own trace context, if it sent exactly one that is well formed.
  public var traceParent: TraceParent? {
    guard case .once(let value) = fields.sole("traceparent") else { return nil }
    return TraceParent(parsing: value)
  }

  /// Adds the head as bytes: request line, fields and the empty line. Nothing is added to or taken from the fields.
  public func serialize(into bytes: inout [UInt8]) {
    appendRequestLine(method: method, target: target, version: version, to: &bytes)
    fields.serialize(into: &bytes)
  }
}

/// Writes `method SP target SP version` and the end of the line (RFC 9112 §3).
func appendRequestLine(method: String, target: RequestTarget, version: HTTPVersion, to bytes: inout [UInt8]) {
  bytes.append(latin1: method)
  bytes.append(UInt8(ascii: " "))
  bytes.append(latin1: target.path)
  if let query = target.query {
    bytes.append(UInt8(ascii: "?"))
    bytes.append(latin1: query)
  }
  bytes.append(UInt8(ascii: " "))
  bytes.append(latin1: version.rawValue)
  bytes.appendLineEnding()
}
