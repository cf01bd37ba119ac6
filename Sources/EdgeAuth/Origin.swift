internal import EdgeCore

/// The value of an Origin field (RFC 6454 §7), in one form for each origin.
public enum Origin: Hashable, Sendable, CustomStringConvertible {
  /// `null`: a page without an origin, such as one in a sandboxed frame.
  case opaque
  /// A scheme and a host in lower case, and a port.
  ///
  /// An IPv6 host stands in brackets in its canonical form; a trailing dot is dropped. The port is nil only where neither the
  /// value nor the scheme names one.
  case tuple(scheme: String, host: String, port: UInt16?)

  /// Reads a field value; nil for a list of origins, a path, user information, white space, or bytes that are not ASCII.
  public init?(_ text: String) {
    guard !text.utf8.elementsEqual("null".utf8) else {
      self = .opaque
      return
    }
    guard text.utf8.count <= maxOriginBytes, let parts = OriginParts(text) else { return nil }
    guard let host = HostName.normalized(parts.host) else { return nil }
    self = .tuple(scheme: parts.scheme, host: host, port: parts.port ?? defaultPort(of: parts.scheme))
  }

  /// The value as a browser writes it (RFC 6454 §6.2): without a port that the scheme implies.
  public var description: String {
    switch self {
    case .opaque: "null"
    case .tuple(let scheme, let host, let port): "\(scheme)://\(host)\(portSuffix(port, scheme: scheme))"
    }
  }
}

/// An origin's text cut into its parts; the host is still as it was written.
struct OriginParts {
  let scheme: String
  let host: String
  let port: UInt16?

  init?(_ given: String) {
    let text = ASCII.lowercased(given)
    let bytes = text.utf8.span
    guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), isScheme(bytes.extracting(first: colon)) else { return nil }
    let rest = bytes.extracting(droppingFirst: colon)
    guard rest.extracting(first: 3).equals("://".utf8.span) else { return nil }
    let authority = rest.extracting(droppingFirst: 3)
    let hostEnd: Int
    if authority.first == UInt8(ascii: "[") {
      guard let bracket = authority.firstIndex(of: UInt8(ascii: "]")) else { return nil }
      hostEnd = bracket + 1
    } else {
      hostEnd = authority.firstIndex(of: UInt8(ascii: ":")) ?? authority.count
    }
    scheme = String(utf8: bytes.extracting(first: colon))
    host = String(utf8: authority.extracting(first: hostEnd))
    guard hostEnd < authority.count else {
      port = nil
      return
    }
    let digits = authority.extracting(droppingFirst: hostEnd + 1)
    guard authority[hostEnd] == UInt8(ascii: ":"), digits.count <= 5, let number = PortNumber.parse(digits) else { return nil }
    port = number
  }
}

/// The port that `scheme` implies, or nil if it implies none.
func defaultPort(of scheme: String) -> UInt16? {
  switch scheme {
  case "http", "ws": 80
  case "https", "wss": 443
  default: nil
  }
}

/// `:8443`, or nothing where `scheme` implies the port.
func portSuffix(_ port: UInt16?, scheme: String) -> String {
  port == defaultPort(of: scheme) ? "" : port.map { ":\($0)" } ?? ""
}

private func isScheme(_ bytes: Span<UInt8>) -> Bool {
  guard let first = bytes.first, ASCII.isLetter(first) else { return false }
  for index in bytes.indices where !isSchemeByte(bytes[index]) { return false }
  return true
}

private func isSchemeByte(_ byte: UInt8) -> Bool {
  ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
    || byte == UInt8(ascii: ".")
}

private let maxOriginBytes = 512
