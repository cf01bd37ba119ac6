/// Bytes that wait for a slow peer: first in, first out. Holds no memory while empty, but for what `take` keeps.
///
/// The queue sets no bound of its own; whoever appends checks `count` first.
public struct ByteQueue: Sendable {
  @usableFromInline
  var storage: [UInt8] = []
  @usableFromInline
  var head = 0

  /// Makes an empty queue.
  public init() {}

  /// How many bytes wait.
  @inlinable
  public var count: Int { storage.count - head }

  /// Whether nothing waits.
  @inlinable
  public var isEmpty: Bool { head == storage.count }

  /// Adds a copy of `bytes` at the end.
  @inlinable
  public mutating func append(_ bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBufferPointer { bytes in unsafe storage.append(contentsOf: bytes) }
  }

  /// Adds a copy of `bytes` at the end.
  public mutating func append(_ bytes: [UInt8]) {
    storage.append(contentsOf: bytes)
  }

  /// Calls `body` with the waiting bytes, oldest first.
  @inlinable
  public func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    body(storage.span.extracting(droppingFirst: head))
  }

  /// Moves the `count` oldest bytes to the beginning of `room`. A queue that is empty then keeps its own room if that is small: whoever
  /// passes all messages through one allocates nothing for each (`scripts/bench --parts h2`).
  @inlinable
  public mutating func take(_ count: Int, into room: inout MutableSpan<UInt8>) {
    precondition(count >= 0 && count <= self.count && count <= room.count)
    unsafe room.withUnsafeMutableBufferPointer { room in
      unsafe storage.withUnsafeBufferPointer { bytes in
        _ = unsafe room.update(fromContentsOf: bytes[head..<head + count])
      }
    }
    if count == self.count, storage.capacity <= Self.keptBytes {
      storage.removeAll(keepingCapacity: true)
      head = 0
    } else {
      removeFirst(count)
    }
  }

  /// Drops the `count` oldest bytes.
  @inlinable
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

  /// The most room that an empty queue keeps.
  @usableFromInline
  static let keptBytes = 256
}
