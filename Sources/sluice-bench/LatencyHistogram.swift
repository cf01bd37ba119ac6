import EdgeCore

/// Counts durations to within 1 %, in memory that does not grow with their number.
///
/// Each power of two of nanoseconds is cut into 64 equal cells; below 64 ns every value has its own.
struct LatencyHistogram {
  /// How many durations were recorded.
  private(set) var count = 0
  private var cells = [Int](repeating: 0, count: 59 * cellsPerDoubling)

  /// Counts a duration; a negative one is 0.
  mutating func record(_ duration: Duration) {
    cells[Self.cell(of: UInt64(max(0, duration.nanoseconds)))] += 1
    count += 1
  }

  /// A duration that `share` of the recorded ones do not exceed, to within 1 %; 0 when there are none.
  ///
  /// - Parameter share: 0 to 1.
  func quantile(_ share: Double) -> Duration {
    let rank = max(1, Int((share * Double(count)).rounded(.up)))
    var passed = 0
    for (cell, number) in cells.enumerated() {
      passed += number
      if passed >= rank { return .nanoseconds(Int64(clamping: Self.highest(in: cell))) }
    }
    return .zero
  }

  private static func cell(of value: UInt64) -> Int {
    guard value >= UInt64(cellsPerDoubling) else { return Int(value) }
    let shift = UInt64.bitWidth - 1 - value.leadingZeroBitCount - cellBits
    return (shift + 1) * cellsPerDoubling + Int(value >> UInt64(shift)) - cellsPerDoubling
  }

  private static func highest(in cell: Int) -> UInt64 {
    guard cell >= cellsPerDoubling else { return UInt64(cell) }
    let shift = UInt64(cell / cellsPerDoubling - 1)
    let lowest = UInt64(cell % cellsPerDoubling + cellsPerDoubling) << shift
    return lowest + (1 << shift - 1)
  }
}

private let cellBits = 6
private let cellsPerDoubling = 1 << cellBits
