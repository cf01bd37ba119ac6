internal import EdgeCore

/// The target of a request line in any of its forms (RFC 9112 §3.2).
struct ReceivedTarget: Sendable {
  /// Path and query in normal form.
  let target: RequestTarget
  /// What an absolute-form target says before its path.
  let origin: Origin?

  /// Scheme and authority of an absolute-form target.
  struct Origin: Sendable {
    let authority: Authority
    let defaultPort: UInt16

    /// Whether a Host field names the same host and port.
    func agrees(with host: Authority) -> Bool {
      authority.isSame(as: host, defaultPort: defaultPort)
    }
  }

  init(parsing bytes: ArraySlice<UInt8>, method: String) throws(HTTPParseError) {
    if bytes.first == UInt8(ascii: "/") {
      self.init(target: try RequestTarget(parsing: bytes), origin: nil)
    } else if bytes.elementsEqual("*".utf8) {
      guard method == "OPTIONS" else { throw .targetForm }
      self.init(target: .asterisk, origin: nil)
    } else {
      try self.init(absolute: bytes, method: method)
    }
  }

  private init(target: RequestTarget, origin: Origin?) {
    self.target = target
    self.origin = origin
  }

  private init(absolute bytes: ArraySlice<UInt8>, method: String) throws(HTTPParseError) {
    guard let (scheme, rest) = splitScheme(bytes) else { throw .targetForm }
    let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? rest.endIndex
    let path = rest[end...]
    origin = Origin(authority: try Authority(parsing: String(latin1: rest[..<end])), defaultPort: scheme.defaultPort)
    if path.isEmpty && method == "OPTIONS" {
      target = .asterisk
    } else {
      target = try RequestTarget(parsing: path.first == UInt8(ascii: "/") ? path : [UInt8(ascii: "/")] + path)
    }
  }
}

private func splitScheme(_ bytes: ArraySlice<UInt8>) -> (HTTPScheme, ArraySlice<UInt8>)? {
  let name = bytes.prefix { $0 != UInt8(ascii: ":") }
  let rest = bytes[name.endIndex...]
  guard let scheme = HTTPScheme(rawValue: String(decoding: name.map(ASCII.lowercased), as: UTF8.self)),
    rest.starts(with: "://".utf8)
  else { return nil }
  return (scheme, rest.dropFirst(3))
}
