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
    guard offset + bytes.count <= size else { return size }
    for index in bytes.indices {
      let place = offset + index
      let expected = place < numberLength ? digit(place, of: number) : template[place]
      if bytes[index] != expected { return place }
    }
    return nil
  }

  private func digit(_ index: Int, of number: UInt64) -> UInt8 {
    let value = UInt8(truncatingIfNeeded: number >> UInt64(4 * index)) & 0xF
    return value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }
}

private let numberLength = 16
