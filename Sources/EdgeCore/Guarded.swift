public import Synchronization

/// A value behind a lock, for what threads must share.
///
/// This is the standard library's `Mutex` with a word beside it. ThreadSanitizer cannot see into that lock and reports
/// what it guards as a race; the word, stored before unlocking and loaded after locking, shows it the order. On x86 and
/// arm64 both are plain moves.
public struct Guarded<Value>: ~Copyable {
  @usableFromInline let mutex: Mutex<Value>
  @usableFromInline let order = Atomic(false)

  /// Guards a value.
  public init(_ value: consuming sending Value) {
    mutex = Mutex(value)
  }

  /// Calls `body` with the value while no other thread has it. Keep it short: others wait.
  @inlinable  // Else each call goes through generic metadata: 1,800 user instructions instead of a few dozen.
  public borrowing func withLock<Result, Failure>(
    _ body: (inout sending Value) throws(Failure) -> sending Result
  ) throws(Failure) -> sending Result {
    try mutex.withLock { value throws(Failure) in
      _ = order.load(ordering: .acquiring)
      defer { order.store(true, ordering: .releasing) }
      return try body(&value)
    }
  }
}

extension Guarded: Sendable {}
