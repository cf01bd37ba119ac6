internal import Synchronization

/// A count that only grows. One thread writes it, any thread reads it: no read-modify-write, so an addition is a plain
/// load and store.
struct Counter: ~Copyable, Sendable {
  private let cell = Atomic<UInt64>(0)

  /// The count as of a moment ago.
  var value: UInt64 { cell.load(ordering: .relaxed) }

  /// Adds `amount`; wraps at 2^64, which a scraper takes for a restart.
  func add(_ amount: UInt64 = 1) {
    cell.store(cell.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
  }
}

/// A level that rises and falls; one thread writes it, any thread reads it.
struct Gauge: ~Copyable, Sendable {
  private let cell = Atomic<Int64>(0)

  /// The level as of a moment ago.
  var value: Int64 { cell.load(ordering: .relaxed) }

  /// Raises the level by `amount`, or lowers it.
  func add(_ amount: Int64) {
    cell.store(cell.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
  }
}
