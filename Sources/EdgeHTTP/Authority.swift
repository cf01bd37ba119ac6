internal import EdgeCore

/// A host and an optional port in normal form: what a Host field, an absolute-form target or `:authority` names.
///
/// The host is as `HostName` has it. User information is refused.
public struct Authority: Hashable, Sendable, CustomStringConvertible {
  /// The host: a name, a dotted quad, or an IPv6 literal in brackets.
  public let host: String
  /// The port, 1–65535, if one was given.
  public let port: UInt16?

  /// Reads `host` or `host:port`.
  ///
  /// - Throws: `HTTPParseError.hostInvalid`, also for an empty host.
  public init(parsing text: String) throws(HTTPParseError) {
    let bytes = text.utf8.span
    let hostEnd = try endOfHost(bytes)
    guard let host = HostName.normalized(String(utf8: bytes.extracting(first: hostEnd))) else { throw .hostInvalid }
    self.host = host
    port = try parsePort(bytes.extracting(droppingFirst: hostEnd))
  }

  /// Whether both name the same host and port, where nothing stands for `defaultPort`.
  func isSame(as other: Authority, defaultPort: UInt16) -> Bool {
    host == other.host && (port ?? defaultPort) == (other.port ?? defaultPort)
  }

  /// `host` or `host:port`.
  public var description: String {
    port.map { "\(host):\($0)" } ?? host
  }

  /// Adds the same.
  func append(to text: inout [UInt8]) {
    text.append(latin1: host)
    guard let port else { return }
    text.append(UInt8(ascii: ":"))
    text.append(latin1: String(port))
  }

  /// Whether the text is a token of RFC 9110 §5.6.2: a name is, neither a port nor an IPv6 literal is.
  var isToken: Bool { port == nil && !HostName.isLiteral(host) }
}

private func endOfHost(_ bytes: Span<UInt8>) throws(HTTPParseError) -> Int {
  guard bytes.first == UInt8(ascii: "[") else { return bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count }
  guard let bracket = bytes.firstIndex(of: UInt8(ascii: "]")) else { throw .hostInvalid }
  return bracket + 1
}

/// Reads nothing, or `:` and digits. The grammar allows no digits at all, which means no port (RFC 3986 §3.2.3).
private func parsePort(_ bytes: Span<UInt8>) throws(HTTPParseError) -> UInt16? {
  guard let first = bytes.first else { return nil }
  guard first == UInt8(ascii: ":") else { throw .hostInvalid }
  guard bytes.count > 1 else { return nil }
  guard let port = PortNumber.parse(bytes.extracting(droppingFirst: 1)) else { throw .hostInvalid }
  return port
}
