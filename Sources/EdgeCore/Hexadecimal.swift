/// Bytes and numbers as hexadecimal digits.
public enum Hexadecimal {
  /// Sixteen lower-case digits.
  public static func text(_ value: UInt64) -> String {
    var digits: [UInt8] = []
    digits.reserveCapacity(16)
    append(value, to: &digits)
    return String(decoding: digits, as: UTF8.self)
  }

  /// Sixteen lower-case digits.
  public static func digits(_ value: UInt64) -> InlineArray<16, UInt8> {
    let halves = (digits(of: UInt32(value >> 32)).bigEndian, digits(of: UInt32(truncatingIfNeeded: value)).bigEndian)
    return unsafe unsafeBitCast(halves, to: InlineArray<16, UInt8>.self)
  }

  /// Adds sixteen lower-case digits to `text`.
  public static func append(_ value: UInt64, to text: inout [UInt8]) {
    // At once: room that is looked for digit by digit takes most of the time.
    let digits = digits(value)
    unsafe digits.span.withUnsafeBufferPointer { digits in unsafe text.append(contentsOf: digits) }
  }

  /// Two lower-case digits for each byte.
  public static func text(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.flatMap { [lowerDigit($0 >> 4), lowerDigit($0 & 15)] }, as: UTF8.self)
  }

  /// Adds two lower-case digits to `text`.
  public static func append(_ byte: UInt8, to text: inout [UInt8]) {
    text.append(lowerDigit(byte >> 4))
    text.append(lowerDigit(byte & 15))
  }

  /// The bytes that pairs of digits stand for, in either case; nil if `digits` holds anything else.
  public static func bytes(_ digits: some Collection<UInt8>) -> [UInt8]? {
    let values = digits.compactMap(ASCII.hexDigit)
    guard values.count == digits.count, values.count.isMultiple(of: 2) else { return nil }
    return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
  }

  /// Eight digits at once, the first one in the top byte: each of four bits gets a byte of its own, and those from ten on are moved up
  /// to the letters.
  private static func digits(of value: UInt32) -> UInt64 {
    var bits = UInt64(value)
    bits = (bits | bits << 16) & 0x0000_ffff_0000_ffff
    bits = (bits | bits << 8) & 0x00ff_00ff_00ff_00ff
    bits = (bits | bits << 4) & 0x0f0f_0f0f_0f0f_0f0f
    let isLetter = (bits + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
    let letterOffset = UInt64(UInt8(ascii: "a") - UInt8(ascii: "0") - 10)
    return bits + 0x3030_3030_3030_3030 + isLetter * letterOffset
  }

  private static func lowerDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }
}
