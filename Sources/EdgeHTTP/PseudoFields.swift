internal import EdgeCore

/// The fields of a request of HTTP/2 that stand for the request line of HTTP/1.1, each at most once (RFC 9113 §8.3.1).
struct PseudoFields: Sendable {
  private(set) var method: [UInt8]?
  private(set) var scheme: [UInt8]?
  private(set) var authority: [UInt8]?
  private(set) var path: [UInt8]?
  /// What a CONNECT wants to speak (RFC 8441 §4).
  private(set) var connectProtocol: [UInt8]?
  /// Whether none was set.
  private(set) var isEmpty = true

  /// Sets the field of that name.
  ///
  /// - Throws: `HTTPParseError.pseudoField` for one that nobody knows, or that is set already.
  mutating func set(_ name: Span<UInt8>, to value: Span<UInt8>) throws(HTTPParseError) {
    isEmpty = false
    let value = Array(copying: value)
    switch String(utf8: name) {
    case ":method": try set(\.method, to: value)
    case ":scheme": try set(\.scheme, to: value)
    case ":authority": try set(\.authority, to: value)
    case ":path": try set(\.path, to: value)
    case ":protocol": try set(\.connectProtocol, to: value)
    default: throw .pseudoField
    }
  }

  private mutating func set(_ field: WritableKeyPath<PseudoFields, [UInt8]?>, to value: [UInt8]) throws(HTTPParseError) {
    guard self[keyPath: field] == nil else { throw .pseudoField }
    self[keyPath: field] = value
  }
}

/// What the pseudo-header fields say together, checked.
struct StreamStart: Sendable {
  let method: String
  let target: RequestTarget
  /// Whether the stream is to carry a WebSocket.
  let isTunnel: Bool
  private let scheme: HTTPScheme
  private let named: Authority?

  init(_ fields: PseudoFields) throws(HTTPParseError) {
    guard let method = fields.method else { throw .pseudoField }
    guard !method.isEmpty, method.allSatisfy(ASCII.isTokenCharacter) else { throw .method }
    self.method = String(latin1: method.span)
    isTunnel = try Self.isTunnel(self.method, fields)
    guard self.method != "TRACE", method.count <= maxMethodBytes else { throw .methodNotImplemented }
    guard let scheme = fields.scheme, let path = fields.path else { throw .pseudoField }
    guard let scheme = HTTPScheme(scheme.span) else {
      throw .schemeInvalid
    }
    self.scheme = scheme
    if path.elementsEqual("*".utf8), self.method == "OPTIONS" {
      target = .asterisk
    } else {
      target = try RequestTarget(parsing: path.span)
    }
    named = try fields.authority.map { bytes throws(HTTPParseError) in try Authority(parsing: String(latin1: bytes.span)) }
  }

  /// The one host that `:authority` and the Host field agree on (RFC 9113 §8.3.1).
  func authority(agreeingWith host: SoleValue) throws(HTTPParseError) -> Authority {
    switch host {
    case .absent:
      guard let named else { throw .hostMissing }
      return named
    case .once(let text):
      let host = try Authority(parsing: text)
      guard let named else {
        guard !isTunnel else { throw .hostMissing }
        return host
      }
      guard named.isSame(as: host, defaultPort: scheme.defaultPort) else { throw .hostMismatch }
      return named
    case .repeated: throw .hostRepeated
    }
  }

  /// Whether the request opens a WebSocket (RFC 8441 §4); no other CONNECT is served.
  private static func isTunnel(_ method: String, _ fields: PseudoFields) throws(HTTPParseError) -> Bool {
    guard method == "CONNECT" else {
      guard fields.connectProtocol == nil else { throw .pseudoField }
      return false
    }
    guard let wanted = fields.connectProtocol else {
      // A CONNECT of its own names an authority, and nothing else (RFC 9113 §8.5).
      throw fields.scheme == nil && fields.path == nil && fields.authority != nil ? .methodNotImplemented : .pseudoField
    }
    guard wanted.elementsEqual("websocket".utf8) else { throw .protocolNotImplemented }
    return true
  }
}
