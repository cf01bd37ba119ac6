/// Hosts as requests, origins, routes and settings name them.
public enum HostName {
  /// The one form in which hosts are compared, or nil if `text` is none.
  ///
  /// A name is lower-case, without a trailing dot, at most 253 bytes in labels of at most 63 (RFC 1035 §2.3.4). It consists of
  /// letters, digits, `-`, `_` and `.`, which is stricter than RFC 3986 §3.2.2 (no escapes, no sub-delimiters) and all that name
  /// resolution can use. A dotted quad is a name like any other; an IPv6 literal stands in brackets in the text of RFC 5952.
  @inlinable  // So that the work itself is done on `String` alone: generic, it took 8,000 instructions a name.
  public static func normalized(_ text: some StringProtocol) -> String? {
    normalForm(String(text))
  }

  @usableFromInline
  static func normalForm(_ text: String) -> String? {
    text.utf8.first == UInt8(ascii: "[") ? normalLiteral(text) : normalName(text)
  }

  /// Whether a host in normal form is an IPv6 literal, which has no subdomains.
  public static func isLiteral(_ host: String) -> Bool {
    host.utf8.first == UInt8(ascii: "[")
  }

  private static func normalLiteral(_ text: String) -> String? {
    let inside = text.dropFirst().dropLast()
    guard text.last == "]", inside.utf8.contains(UInt8(ascii: ":")), let address = IPAddress(inside) else {
      return nil
    }
    return address.isIPv4 ? "[::ffff:\(address)]" : "[\(address)]"
  }

  private static func normalName(_ text: String) -> String? {
    let bytes = text.utf8.span
    let hasDot = !bytes.isEmpty && bytes[bytes.count - 1] == UInt8(ascii: ".")
    let name = bytes.extracting(droppingLast: hasDot ? 1 : 0)
    guard name.count <= maxNameBytes else { return nil }
    var labelBytes = 0
    var isLowercase = true
    for index in name.indices {
      let byte = name[index]
      if byte == UInt8(ascii: ".") {
        guard labelBytes > 0 else { return nil }
        labelBytes = 0
      } else {
        labelBytes += 1
        guard isNameByte(byte), labelBytes <= maxLabelBytes else { return nil }
        isLowercase = isLowercase && ASCII.lowercased(byte) == byte
      }
    }
    guard labelBytes > 0 else { return nil }
    // Most come in this form already.
    if isLowercase, !hasDot { return text }
    return String(decoding: text.utf8.prefix(name.count).map(ASCII.lowercased), as: UTF8.self)
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
  }
}

private let maxNameBytes = 253
private let maxLabelBytes = 63
