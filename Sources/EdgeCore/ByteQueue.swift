/// Bytes that wait for a slow peer: first in, first out. Holds no memory while empty.
///
/// The queue sets no bound of its own; whoever appends checks `count` first.
public struct ByteQueue: Sendable {
  private var storage: [UInt8] = []
  private var head = 0

  /// Makes an empty queue.
  public init() {}

  /// How many bytes wait.
  public var count: Int { storage.count - head }

  /// Whether nothing waits.
  public var isEmpty: Bool { head == storage.count }

  /// Adds a copy of `bytes` at the end.
  public mutating func append(_ bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBufferPointer { bytes in unsafe storage.append(contentsOf: bytes) }
  }

  /// Adds a copy of `bytes` at the end.
  public mutating func append(_ bytes: [UInt8]) {
    storage.append(contentsOf: bytes)
  }

  /// Calls `body` with the waiting bytes, oldest first.
  public func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    body(storage.span.extracting(droppingFirst: head))
  }

  /// Drops the `count` oldest bytes.
  public mutating func removeFirst(_ count: Int) {
    precondition(count >= 0 && count <= self.count)
    head += count
    if head == storage.count {
      storage = []
      head = 0
    } else if head > 65_536 && head > storage.count / 2 {
      storage.removeFirst(head)
      head = 0
    }
  }
}
