import ArgumentParser
import EdgeWebSocket

/// What the messages of a load are.
struct MessageOptions: ParsableArguments {
  @Option(help: "The size of a message in bytes.")
  var size = 128

  @Flag(help: "Binary messages instead of text.")
  var binary = false

  func validate() throws {
    guard (1...(1 << 24)).contains(size) else { throw ValidationError("--size must be 1 to 16777216") }
  }

  /// The book that these options ask for.
  var book: MessageBook { MessageBook(binary ? .binary : .text, size: size) }
}

/// Makes the messages of a load, and checks what comes back.
struct MessageBook {
  let kind: MessageKind
  let pattern: MessagePattern

  init(_ kind: MessageKind, size: Int) {
    self.kind = kind
    pattern = MessagePattern(size: size)
  }

  /// The frame of the message of that number.
  func frame(_ number: UInt64, maskKey: MaskKey) -> [UInt8] {
    var frame: [UInt8] = []
    frame.reserveCapacity(pattern.size + 14)
    FrameWriter.appendMessage(kind, pattern.message(number).span, maskKey: maskKey, into: &frame)
    return frame
  }
}

/// Holds one message that comes back, in pieces, against what was sent.
struct MessageCheck {
  private var receivedBytes = 0

  /// Checks a piece.
  ///
  /// - Returns: whether the message is whole.
  mutating func receive(
    _ bytes: Span<UInt8>, endsMessage: Bool, of number: UInt64, in book: MessageBook
  ) throws(LoadFailure) -> Bool {
    if let place = book.pattern.mismatch(in: bytes, at: receivedBytes, of: number) {
      throw .webSocket("message \(number) differs from what was sent at byte \(place)")
    }
    receivedBytes += bytes.count
    guard endsMessage else { return false }
    guard receivedBytes == book.pattern.size else { throw .webSocket("message \(number) is too short") }
    receivedBytes = 0
    return true
  }
}
