internal import Synchronization

/// Chooses about one in 64 of many things. One thread uses it.
///
/// Chance decides which, so that no rhythm in them, such as rooms of 64 people, hides some of them for ever.
struct Sampling: ~Copyable, Sendable {
  /// How many pass before the next is chosen.
  private let left = Atomic<UInt64>(0)
  /// A linear congruential generator (Knuth, MMIX): nobody gains by guessing it.
  private let generator = Atomic<UInt64>(1)

  /// Whether the next thing is chosen; the very first one is.
  func choosesNext() -> Bool {
    let left = left.load(ordering: .relaxed)
    guard left == 0 else {
      self.left.store(left &- 1, ordering: .relaxed)
      return false
    }
    let random = generator.load(ordering: .relaxed) &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    generator.store(random, ordering: .relaxed)
    self.left.store(random >> 57, ordering: .relaxed)
    return true
  }
}
