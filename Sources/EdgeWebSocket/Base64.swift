internal import EdgeCore

/// Base64 with the standard alphabet and padding (RFC 4648 §4), as handshake keys are written.
enum Base64 {
  /// The text that stands for `bytes`.
  static func encode(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var bits: UInt32 = 0
      for byte in group { bits = bits << 8 | UInt32(byte) }
      bits <<= UInt32((3 - group.count) * 8)
      for position in 0..<4 {
        let sextet = UInt8(bits >> UInt32(18 - position * 6) & 0x3F)
        text.append(position <= group.count ? digit(sextet) : padding)
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes that `text` stands for; nil unless it is exactly what `encode` gives for them.
  static func decode(_ text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count.isMultiple(of: 4) else { return nil }
    let paddingCount = digits.reversed().prefix(2).prefix { $0 == padding }.count
    var bytes: [UInt8] = []
    var bits: UInt32 = 0
    for (position, digit) in digits.dropLast(paddingCount).enumerated() {
      guard let sextet = value(of: digit) else { return nil }
      bits = bits << 6 | UInt32(sextet)
      if position % 4 > 0 { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(6 - position % 4 * 2))) }
    }
    // The bits that padding leaves over must be clear, or two texts would stand for the same bytes.
    let spareBits = UInt32(1) << UInt32(paddingCount * 2) - 1
    return bits & spareBits == 0 ? bytes : nil
  }

  private static func digit(_ sextet: UInt8) -> UInt8 {
    switch sextet {
    case 0..<26: UInt8(ascii: "A") + sextet
    case 26..<52: UInt8(ascii: "a") + sextet - 26
    case 52..<62: UInt8(ascii: "0") + sextet - 52
    case 62: UInt8(ascii: "+")
    default: UInt8(ascii: "/")
    }
  }

  private static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }

  private static let padding = UInt8(ascii: "=")
}
