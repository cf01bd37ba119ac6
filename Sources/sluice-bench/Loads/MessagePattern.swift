import Glibc

/// What the messages of a load say: ASCII, so that it is text too, and different in each message.
///
/// The first 16 bytes are the message's number in hexadecimal, lowest digit first; the rest is the alphabet, over and over.
struct MessagePattern {
  /// How long every message is, in bytes.
  let size: Int
  private let template: [UInt8]

  init(size: Int) {
    self.size = size
    template = (0..<size).map { UInt8(ascii: "a") + UInt8($0 % 26) }
  }

  /// The message of that number.
  func message(_ number: UInt64) -> [UInt8] {
    var message = template
    for index in 0..<min(size, numberLength) { message[index] = digit(index, of: number) }
    return message
  }

  /// Where `bytes`, which came behind the first `offset` bytes of the message, differ from it; nil when they do not.
  func mismatch(in bytes: Span<UInt8>, at offset: Int, of number: UInt64) -> Int? {
    let end = offset + bytes.count
    guard end <= size else { return size }
    let restStart = max(offset, min(end, numberLength))
    for place in offset..<restStart where bytes[place - offset] != digit(place, of: number) { return place }
    let rest = bytes.extracting(droppingFirst: restStart - offset)
    let expected = template.span.extracting(restStart..<end)
    // Compared byte by byte, an echo of 1 KiB would cost the load 13,000 user instructions more.
    guard !isSame(rest, expected) else { return nil }
    return rest.indices.first { rest[$0] != expected[$0] }.map { restStart + $0 }
  }

  private func digit(_ index: Int, of number: UInt64) -> UInt8 {
    let value = UInt8(truncatingIfNeeded: number >> UInt64(4 * index)) & 0xF
    return value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }
}

private func isSame(_ bytes: Span<UInt8>, _ others: Span<UInt8>) -> Bool {
  unsafe bytes.withUnsafeBytes { bytes in
    unsafe others.withUnsafeBytes { others in
      guard let start = bytes.baseAddress, let other = others.baseAddress else { return bytes.count == others.count }
      return unsafe bytes.count == others.count && memcmp(start, other, bytes.count) == 0
    }
  }
}

private let numberLength = 16
