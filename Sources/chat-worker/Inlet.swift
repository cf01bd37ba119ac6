import EdgeIO

/// Where bytes are received before somebody takes them.
struct Inlet {
  private var bytes: [UInt8]

  /// Makes a place for `capacity` bytes.
  init(capacity: Int) {
    bytes = [UInt8](repeating: 0, count: capacity)
  }

  /// Receives bytes over those that are there.
  mutating func receive(from socket: borrowing Socket) -> IOResult {
    var span = bytes.mutableSpan
    return socket.receive(into: &span)
  }

  /// Calls `body` with some of the bytes that were received last.
  func withBytes<Result>(_ range: Range<Int>, _ body: (Span<UInt8>) -> Result) -> Result {
    body(bytes.span.extracting(range))
  }
}
