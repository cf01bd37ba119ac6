import EdgeCore

/// The last so many of what comes, for whoever looks.
///
/// A reactor adds one under a lock that is held for a few instructions. Whoever looks gets them by reference, in blocks of which at
/// most the last is ever copied for it: no reactor waits while the others are sorted and printed.
final class Latest<Element: Sendable>: Sendable {
  private let capacity: Int
  private let blocks = Guarded([[Element]]())

  private static var blockSize: Int { 250 }

  /// - Parameter capacity: how many are kept.
  init(_ capacity: Int) {
    self.capacity = capacity
  }

  /// Keeps one, and forgets the oldest if there are too many.
  func add(_ element: Element) {
    blocks.withLock { blocks in
      if blocks.last.map({ $0.count == Self.blockSize }) ?? true {
        var block: [Element] = []
        block.reserveCapacity(Self.blockSize)
        blocks.append(block)
      }
      blocks[blocks.count - 1].append(element)
      // As many full blocks as hold all of them, and the one that is being filled.
      if blocks.count > (capacity + Self.blockSize - 1) / Self.blockSize + 1 { blocks.removeFirst() }
    }
  }

  /// Those that are kept, the latest first.
  var all: some Sequence<Element> {
    blocks.withLock { $0 }.reversed().lazy.flatMap { $0.reversed() }.prefix(capacity)
  }
}
