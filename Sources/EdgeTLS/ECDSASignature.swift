/// ECDSA signatures in their two forms: r and s one after the other as JOSE has them (RFC 7518 §3.4), and the DER of
/// RFC 3279 §2.2.3 that OpenSSL takes.
enum ECDSASignature {
  /// The DER form of r‖s; both halves are of one length, at most 127 bytes.
  static func der(from joined: Span<UInt8>) -> [UInt8] {
    let half = joined.count / 2
    let numbers = integer(joined.extracting(..<half)) + integer(joined.extracting(half...))
    let length = numbers.count < 0x80 ? [UInt8(numbers.count)] : [0x81, UInt8(truncatingIfNeeded: numbers.count)]
    return [sequenceTag] + length + numbers
  }

  /// The form r‖s with `coordinateBytes` each, or nil if `der` is no signature that fits.
  static func joined(from der: [UInt8], coordinateBytes: Int) -> [UInt8]? {
    var rest = der[...]
    guard let numbers = value(of: sequenceTag, from: &rest), rest.isEmpty else { return nil }
    rest = numbers
    guard let r = value(of: integerTag, from: &rest), let s = value(of: integerTag, from: &rest), rest.isEmpty else { return nil }
    let halves = [r, s].map { $0.drop { $0 == 0 } }
    guard halves.allSatisfy({ $0.count <= coordinateBytes }) else { return nil }
    return halves.flatMap { [UInt8](repeating: 0, count: coordinateBytes - $0.count) + $0 }
  }

  /// The DER of an unsigned number: the fewest bytes whose first bit is 0.
  private static func integer(_ bytes: Span<UInt8>) -> [UInt8] {
    var start = 0
    while start < bytes.count - 1 && bytes[start] == 0 { start += 1 }
    let digits = (start..<bytes.count).map { bytes[$0] }
    let content = digits.first.map { $0 >= 0x80 } ?? true ? [0] + digits : digits
    return [integerTag, UInt8(truncatingIfNeeded: content.count)] + content
  }

  /// Takes one element of that tag, of fewer than 256 bytes, off the front.
  private static func value(of tag: UInt8, from bytes: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard bytes.popFirst() == tag, var count = bytes.popFirst() else { return nil }
    if count == 0x81 { count = bytes.popFirst() ?? 0 } else if count >= 0x80 { return nil }
    guard bytes.count >= Int(count) else { return nil }
    defer { bytes = bytes.dropFirst(Int(count)) }
    return bytes.prefix(Int(count))
  }
}

private let sequenceTag: UInt8 = 0x30
private let integerTag: UInt8 = 0x02
