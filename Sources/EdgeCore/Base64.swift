/// Base64 in the two forms that protocols use, read so strictly that no two texts stand for the same bytes.
public enum Base64: Sendable, CaseIterable {
  /// With `+` and `/`, padded (RFC 4648 §4): handshake keys are written so (RFC 6455 §4.1).
  case padded
  /// With `-` and `_`, without padding (RFC 4648 §5): tokens and keys are written so (RFC 7515 §2).
  case urlSafe

  /// The text that stands for `bytes`.
  public func encode(_ bytes: [UInt8]) -> String {
    // To append nothing to an empty array writes to the one that all threads share.
    guard !bytes.isEmpty else { return "" }
    let digits = digits.utf8.span
    var text: [UInt8] = []
    text.append(addingCapacity: (bytes.count + 2) / 3 * 4) { text in
      var bits: UInt32 = 0
      var bitCount: UInt32 = 0
      for byte in bytes {
        bits = bits << 8 | UInt32(byte)
        bitCount += 8
        while bitCount >= 6 {
          bitCount -= 6
          text.append(digits[Int(bits >> bitCount & 63)])
        }
      }
      if bitCount > 0 { text.append(digits[Int(bits << (6 - bitCount) & 63)]) }
      switch self {
      case .padded: while !text.count.isMultiple(of: 4) { text.append(padding) }
      case .urlSafe: break
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes that `text` stands for; nil unless it is exactly what `encode` gives for them.
  ///
  /// White space, the other form's letters, missing or needless padding, and unused bits that are not zero are refused.
  public func decode(_ text: Span<UInt8>) -> [UInt8]? {
    let digitCount: Int
    switch self {
    case .padded:
      guard text.count.isMultiple(of: 4) else { return nil }
      digitCount = text.count - paddingCount(of: text)
    case .urlSafe: digitCount = text.count
    }
    guard digitCount % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digitCount / 4 * 3 + 2)
    var bits: UInt32 = 0
    var bitCount = 0
    for index in 0..<digitCount {
      guard let sextet = sextet(text[index]) else { return nil }
      bits = bits << 6 | UInt32(sextet)
      bitCount += 6
      if bitCount >= 8 {
        bitCount -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
      }
    }
    return bits & (1 << UInt32(bitCount) - 1) == 0 ? bytes : nil
  }

  /// Decodes `text`; see `decode` of a span.
  public func decode(_ text: String) -> [UInt8]? {
    decode(text.utf8.span)
  }

  /// The digits of 0 to 63.
  private var digits: String {
    switch self {
    case .padded: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    case .urlSafe: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    }
  }

  private func sextet(_ digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
    case lastDigits.0: 62
    case lastDigits.1: 63
    default: nil
    }
  }

  /// The digits of 62 and 63.
  private var lastDigits: (UInt8, UInt8) {
    switch self {
    case .padded: (UInt8(ascii: "+"), UInt8(ascii: "/"))
    case .urlSafe: (UInt8(ascii: "-"), UInt8(ascii: "_"))
    }
  }
}

/// At most two of the last characters are padding.
private func paddingCount(of text: Span<UInt8>) -> Int {
  guard text.count >= 2, text[text.count - 1] == padding else { return 0 }
  return text[text.count - 2] == padding ? 2 : 1
}

private let padding = UInt8(ascii: "=")
