/// Questions about single bytes that every text protocol asks.
public enum ASCII {
  /// The byte in lower case, if it is an upper-case letter; else the byte itself.
  @inlinable
  public static func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
  }

  /// The text with its upper-case letters in lower case. One that has none, as most do, stays as it is.
  public static func lowercased(_ text: String) -> String {
    let bytes = text.utf8.span
    for index in bytes.indices where lowercased(bytes[index]) != bytes[index] {
      return String(decoding: text.utf8.map(lowercased), as: UTF8.self)
    }
    return text
  }

  /// Whether the byte is `0`–`9`.
  @inlinable
  public static func isDigit(_ byte: UInt8) -> Bool {
    byte &- 0x30 < 10
  }

  /// Whether the byte is `A`–`Z` or `a`–`z`.
  @inlinable
  public static func isLetter(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- 0x61 < 26
  }

  /// The value of a hexadecimal digit of either case, or nil.
  @inlinable
  public static func hexDigit(_ byte: UInt8) -> UInt8? {
    if isDigit(byte) { return byte &- 0x30 }
    let letter = (byte | 0x20) &- 0x61
    return letter < 6 ? letter &+ 10 : nil
  }

  /// Whether the byte may stand in a token, such as a field name or a method (RFC 9110 §5.6.2).
  @inlinable
  public static func isTokenCharacter(_ byte: UInt8) -> Bool {
    if isLetter(byte) || isDigit(byte) { return true }
    switch byte {
    case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "'"),
      UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"),
      UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
      return true
    default:
      return false
    }
  }

  /// Whether a text is a token: at least one character, each a token character (RFC 9110 §5.6.2).
  @inlinable
  public static func isToken(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy(isTokenCharacter)
  }

  /// Whether the byte never needs an escape in a URI: a letter, a digit, `-`, `.`, `_` or `~` (RFC 3986 §2.3).
  @inlinable
  public static func isUnreserved(_ byte: UInt8) -> Bool {
    if isLetter(byte) || isDigit(byte) { return true }
    switch byte {
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): return true
    default: return false
    }
  }

  /// Whether the byte is a printing character other than space.
  @inlinable
  public static func isVisible(_ byte: UInt8) -> Bool {
    byte &- 0x21 < 0x5e
  }

  /// Whether the byte is a space or a tab: the optional white space of HTTP (RFC 9110 §5.6.3).
  @inlinable
  public static func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09
  }

  /// The bytes without spaces and tabs at both ends.
  @inlinable
  public static func trimmed<Bytes: BidirectionalCollection<UInt8>>(_ bytes: Bytes) -> Bytes.SubSequence {
    let rest = bytes.drop(while: isBlank)
    guard let last = rest.lastIndex(where: { !isBlank($0) }) else { return rest }
    return rest[...last]
  }

  /// Whether two texts are equal when ASCII letters of either case are taken as the same.
  @inlinable
  public static func equalIgnoringCase(_ lhs: Span<UInt8>, _ rhs: Span<UInt8>) -> Bool {
    guard lhs.count == rhs.count else { return false }
    for index in lhs.indices where lhs[index] != rhs[index] {
      guard lowercased(lhs[index]) == lowercased(rhs[index]) else { return false }
    }
    return true
  }

  /// Whether two texts are equal when ASCII letters of either case are taken as the same.
  ///
  /// Inlinable, so that it is compiled for the types at hand: every lookup of a field comes here.
  @inlinable
  public static func equalIgnoringCase(_ lhs: some StringProtocol, _ rhs: some StringProtocol) -> Bool {
    guard lhs.utf8.count == rhs.utf8.count else { return false }
    for (left, right) in zip(lhs.utf8, rhs.utf8) where lowercased(left) != lowercased(right) { return false }
    return true
  }
}
