import Testing

@testable import sluice_bench

@Suite struct LatencyHistogramTests {
  @Test func `nothing recorded has quantiles of zero`() {
    #expect(LatencyHistogram().quantile(0.99) == .zero)
  }

  @Test(arguments: [0, 1, 63, 64, 65, 127, 128, 1_000, 123_456_789, 60_000_000_000])
  func `a single duration comes back to within two percent, never smaller`(nanoseconds: Int64) {
    var histogram = LatencyHistogram()
    histogram.record(.nanoseconds(nanoseconds))
    let median = histogram.quantile(0.5)
    #expect(median >= .nanoseconds(nanoseconds))
    #expect(median <= .nanoseconds(nanoseconds + nanoseconds / 50))
  }

  @Test func `quantiles of a thousand different durations are theirs`() {
    var histogram = LatencyHistogram()
    for microseconds in 1...1000 { histogram.record(.microseconds(microseconds)) }
    for (share, expected) in [(0.5, 500), (0.99, 990), (0.999, 999), (1.0, 1000)] {
      let found = histogram.quantile(share)
      #expect(found >= .microseconds(expected))
      #expect(found <= .microseconds(expected + expected / 50))
    }
  }

  @Test func `the longest and a negative duration are counted`() {
    var histogram = LatencyHistogram()
    histogram.record(.seconds(Int64.max))
    histogram.record(.seconds(-1))
    #expect(histogram.count == 2)
    #expect(histogram.quantile(0.5) == .zero)
  }
}
