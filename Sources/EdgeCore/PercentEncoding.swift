/// Bytes written as `%XX` (RFC 3986 §2.1).
public enum PercentEncoding {
  /// The bytes with every escape decoded, its digits in either case; nil where a `%` has no two digits behind it.
  public static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
    var decoded: [UInt8] = []
    var iterator = text.makeIterator()
    while let byte = iterator.next() {
      guard byte == UInt8(ascii: "%") else {
        decoded.append(byte)
        continue
      }
      guard let high = iterator.next().flatMap(ASCII.hexDigit), let low = iterator.next().flatMap(ASCII.hexDigit) else {
        return nil
      }
      decoded.append(high << 4 | low)
    }
    return decoded
  }

  /// Adds `byte` as an escape with upper-case digits, as normal forms have them (RFC 3986 §6.2.2.1).
  public static func append(_ byte: UInt8, to text: inout [UInt8]) {
    text.append(UInt8(ascii: "%"))
    text.append(upperDigit(byte >> 4))
    text.append(upperDigit(byte & 15))
  }

  /// Adds `byte` as it is if it is visible ASCII other than `%`, else as an escape: what many give is one word on one line, and can
  /// be decoded back.
  public static func appendVisible(_ byte: UInt8, to text: inout [UInt8]) {
    if ASCII.isVisible(byte), byte != UInt8(ascii: "%") { text.append(byte) } else { append(byte, to: &text) }
  }

  private static func upperDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
  }
}
