internal import EdgeCore

/// A host and an optional port in normal form: what a Host field, an absolute-form target or `:authority` names.
///
/// Names are lower-case and have no trailing dot; they consist of letters, digits, `-`, `_` and `.`, which is stricter than
/// RFC 3986 §3.2.2 (no escapes, no sub-delimiters) and all that name resolution can use. IPv6 literals are in brackets in the
/// text of RFC 5952. User information is refused.
public struct Authority: Hashable, Sendable, CustomStringConvertible {
  /// The host: a name, a dotted quad, or an IPv6 literal in brackets.
  public let host: String
  /// The port, 1–65535, if one was given.
  public let port: UInt16?

  /// Reads `host` or `host:port`.
  ///
  /// - Throws: `HTTPParseError.hostInvalid`, also for an empty host.
  public init(parsing text: String) throws(HTTPParseError) {
    let bytes = Array(text.utf8)
    let hostEnd = try endOfHost(bytes)
    host = try bytes.first == UInt8(ascii: "[") ? normalLiteral(bytes[..<hostEnd]) : normalName(bytes[..<hostEnd])
    port = try parsePort(bytes[hostEnd...])
  }

  /// `host` or `host:port`.
  public var description: String {
    port.map { "\(host):\($0)" } ?? host
  }
}

private func endOfHost(_ bytes: [UInt8]) throws(HTTPParseError) -> Int {
  guard bytes.first == UInt8(ascii: "[") else { return bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex }
  guard let bracket = bytes.firstIndex(of: UInt8(ascii: "]")) else { throw .hostInvalid }
  return bracket + 1
}

private func normalName(_ bytes: ArraySlice<UInt8>) throws(HTTPParseError) -> String {
  let name = bytes.last == UInt8(ascii: ".") ? bytes.dropLast() : bytes
  guard (1...maxNameBytes).contains(name.count), name.allSatisfy(isNameByte) else { throw .hostInvalid }
  let labels = name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
  guard labels.allSatisfy({ (1...maxLabelBytes).contains($0.count) }) else { throw .hostInvalid }
  return String(decoding: name.map(ASCII.lowercased), as: UTF8.self)
}

private func isNameByte(_ byte: UInt8) -> Bool {
  ASCII.isUnreserved(byte) && byte != UInt8(ascii: "~")
}

private func normalLiteral(_ bytes: ArraySlice<UInt8>) throws(HTTPParseError) -> String {
  let inside = String(latin1: bytes.dropFirst().dropLast())
  guard inside.utf8.contains(UInt8(ascii: ":")), let address = IPAddress(inside) else { throw .hostInvalid }
  return address.isIPv4 ? "[::ffff:\(address)]" : "[\(address)]"
}

/// Reads nothing, or `:` and digits. The grammar allows no digits at all, which means no port (RFC 3986 §3.2.3).
private func parsePort(_ bytes: ArraySlice<UInt8>) throws(HTTPParseError) -> UInt16? {
  guard let first = bytes.first else { return nil }
  let digits = bytes.dropFirst()
  guard first == UInt8(ascii: ":"), digits.allSatisfy(ASCII.isDigit) else { throw .hostInvalid }
  guard !digits.isEmpty else { return nil }
  guard let port = UInt16(String(decoding: digits, as: UTF8.self)), port > 0 else { throw .hostInvalid }
  return port
}

/// The longest name and label that name resolution carries (RFC 1035 §2.3.4).
private let maxNameBytes = 253
private let maxLabelBytes = 63
