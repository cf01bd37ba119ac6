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

  init(parsing bytes: Span<UInt8>, method: String) throws(HTTPParseError) {
    if bytes.first == UInt8(ascii: "/") {
      self.init(target: try RequestTarget(parsing: bytes), origin: nil)
    } else if bytes.equals("*".utf8.span) {
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

  private init(absolute bytes: Span<UInt8>, method: String) throws(HTTPParseError) {
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), let scheme = HTTPScheme(bytes.extracting(first: colon)) else {
      throw .targetForm
    }
    let separator = bytes.extracting(droppingFirst: colon).extracting(first: 3)
    guard separator.equals("://".utf8.span) else { throw .targetForm }
    let rest = bytes.extracting(droppingFirst: colon + 3)
    var end = 0
    while end < rest.count, !endsAuthority(rest[end]) { end += 1 }
    let path = rest.extracting(droppingFirst: end)
    origin = Origin(
      authority: try Authority(parsing: String(latin1: rest.extracting(first: end))), defaultPort: scheme.defaultPort)
    if path.isEmpty && method == "OPTIONS" {
      target = .asterisk
    } else if path.first == UInt8(ascii: "/") {
      target = try RequestTarget(parsing: path)
    } else {
      target = try RequestTarget(parsing: "/" + String(latin1: path))
    }
  }
}

/// Whether the byte begins a path, a query or a fragment.
private func endsAuthority(_ byte: UInt8) -> Bool {
  byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
}

extension HTTPScheme {
  /// Reads a scheme in any case.
  init?(_ name: Span<UInt8>) {
    for scheme in Self.allCases where ASCII.equalIgnoringCase(name, scheme.rawValue.utf8.span) {
      self = scheme
      return
    }
    return nil
  }
}
