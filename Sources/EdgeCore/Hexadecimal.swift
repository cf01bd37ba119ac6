/// Bytes and numbers as hexadecimal digits.
public enum Hexadecimal {
  /// Sixteen lower-case digits.
  public static func text(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Two lower-case digits for each byte.
  public static func text(_ bytes: some Sequence<UInt8>) -> String {
    String(decoding: bytes.flatMap { [lowerDigit($0 >> 4), lowerDigit($0 & 15)] }, as: UTF8.self)
  }

  /// The bytes that pairs of digits stand for, in either case; nil if `digits` holds anything else.
  public static func bytes(_ digits: some Collection<UInt8>) -> [UInt8]? {
    let values = digits.compactMap(ASCII.hexDigit)
    guard values.count == digits.count, values.count.isMultiple(of: 2) else { return nil }
    return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
  }

  private static func lowerDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }
}
