import EdgeCore
import Histogram

/// How long things took, to within a thousandth, in memory that does not grow with their number.
struct Latencies {
  private var histogram = Histogram<UInt64>(
    highestTrackableValue: longestNanoseconds, numberOfSignificantValueDigits: .three)

  /// How many durations were recorded.
  var count: Int { Int(clamping: histogram.totalCount) }

  /// Counts a duration: a negative one as 0, one of more than an hour as an hour.
  mutating func record(_ duration: Duration) {
    histogram.record(min(UInt64(max(0, duration.nanoseconds)), longestNanoseconds))
  }

  /// A duration that `percent` of the recorded ones do not exceed; 0 when there are none.
  func percentile(_ percent: Double) -> Duration {
    .nanoseconds(Int64(clamping: histogram.valueAtPercentile(percent)))
  }
}

private let longestNanoseconds: UInt64 = 3_600_000_000_000
