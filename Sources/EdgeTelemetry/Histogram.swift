internal import EdgeCore

/// Counts of values by size, in fixed buckets. One thread writes it, any thread reads it.
struct Histogram: ~Copyable, Sendable {
  private let scale: BucketScale
  private let buckets = InlineArray<24, Counter> { _ in Counter() }
  private let sum = Counter()

  init(_ scale: BucketScale) {
    self.scale = scale
  }

  /// Counts one value, in the unit of the scale.
  func record(_ value: UInt64) {
    buckets[scale.bucket(of: value)].add()
    sum.add(value)
  }

  /// Counts one time span, on a scale of time; a negative one as zero.
  func record(_ duration: Duration) {
    record(UInt64(max(0, duration.nanoseconds)) / scale.nanosecondsPerUnit)
  }

  /// What was counted up to a moment ago.
  var snapshot: HistogramSnapshot {
    HistogramSnapshot(
      scale: scale, counts: (0...scale.bounds.count).map { buckets[$0].value }, sum: sum.value)
  }
}

/// The bounds of a histogram's buckets. Values are whole numbers of a small unit, so that a sum is exact and an addition cheap.
enum BucketScale: Sendable {
  /// Message sizes in bytes: powers of two from 16 B to 1 MiB.
  case bytes
  /// Short times in nanoseconds: 50 µs to 30 s.
  case latency
  /// Ways through the edge in nanoseconds: 5 µs to 30 s.
  case transit
  /// Lifetimes of connections in milliseconds: 1 s to 1 day.
  case lifetime

  /// The upper bounds, inclusive and rising; one more bucket lies above the last.
  var bounds: [UInt64] {
    switch self {
    case .bytes: byteBounds
    case .latency: latencyBounds
    case .transit: transitBounds
    case .lifetime: lifetimeBounds
    }
  }

  /// The index of the bucket that `value` falls into.
  func bucket(of value: UInt64) -> Int {
    switch self {
    case .bytes:
      // The power of two at or above the value, without a search: this runs for every message.
      guard value > 1 << smallestByteBoundLog2 else { return 0 }
      return min(UInt64.bitWidth - (value - 1).leadingZeroBitCount, largestByteBoundLog2 + 1) - smallestByteBoundLog2
    case .latency, .transit, .lifetime:
      return bounds.firstIndex { value <= $0 } ?? bounds.count
    }
  }

  /// Nanoseconds in one unit, for the scales of time.
  var nanosecondsPerUnit: UInt64 {
    switch self {
    case .bytes, .latency, .transit: 1
    case .lifetime: 1_000_000
    }
  }

  /// What a value is divided by to be in the base unit (bytes or seconds) of the exposition.
  var unitsPerBase: Double {
    switch self {
    case .bytes: 1
    case .latency, .transit: 1e9
    case .lifetime: 1e3
    }
  }
}

/// A histogram's counts at one moment; those of several reactors add up.
struct HistogramSnapshot: Equatable, Sendable {
  let scale: BucketScale
  /// How many values fell into each bucket (not cumulated); one more than the scale has bounds.
  private(set) var counts: [UInt64]
  /// The sum of all values, in the unit of the scale.
  private(set) var sum: UInt64

  init(scale: BucketScale, counts: [UInt64], sum: UInt64) {
    precondition(counts.count == scale.bounds.count + 1)
    self.scale = scale
    self.counts = counts
    self.sum = sum
  }

  /// A snapshot in which nothing was counted.
  init(_ scale: BucketScale) {
    self.init(scale: scale, counts: Array(repeating: 0, count: scale.bounds.count + 1), sum: 0)
  }

  mutating func add(_ other: HistogramSnapshot) {
    precondition(other.scale == scale)
    for index in counts.indices { counts[index] &+= other.counts[index] }
    sum &+= other.sum
  }
}

private let smallestByteBoundLog2 = 4
private let largestByteBoundLog2 = 20
private let byteBounds: [UInt64] = (smallestByteBoundLog2...largestByteBoundLog2).map { 1 << UInt64($0) }
private let latencyBounds: [UInt64] =
  [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000, 30_000_000,
  ].map { $0 * 1_000 }
private let transitBounds: [UInt64] =
  [
    5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000,
    30_000_000,
  ].map { $0 * 1_000 }
private let lifetimeBounds: [UInt64] = [1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400].map { $0 * 1_000 }
