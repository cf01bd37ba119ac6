import Testing

@testable import sluice_bench

@Suite struct LatenciesTests {
  @Test func `nothing recorded has percentiles of zero`() {
    #expect(Latencies().percentile(99) == .zero)
    #expect(Latencies().percentile(100) == .zero)
  }

  @Test(arguments: [0, 1, 63, 64, 65, 127, 128, 1_000, 123_456_789, 60_000_000_000])
  func `a single duration comes back to within a thousandth`(nanoseconds: Int64) {
    var latencies = Latencies()
    latencies.record(.nanoseconds(nanoseconds))
    let median = latencies.percentile(50)
    #expect(median >= .nanoseconds(nanoseconds - nanoseconds / 1000))
    #expect(median <= .nanoseconds(nanoseconds + nanoseconds / 1000))
  }

  @Test func `percentiles of a thousand different durations are theirs`() {
    var latencies = Latencies()
    for microseconds in 1...1000 { latencies.record(.microseconds(microseconds)) }
    for (percent, expected) in [(50.0, 500), (99.0, 990), (99.9, 999), (100.0, 1000)] {
      let found = latencies.percentile(percent)
      #expect(found >= .microseconds(expected))
      #expect(found <= .microseconds(expected + 1))
    }
  }

  @Test func `the longest and a negative duration are counted`() {
    var latencies = Latencies()
    latencies.record(.seconds(Int64.max))
    latencies.record(.seconds(-1))
    #expect(latencies.count == 2)
    #expect(latencies.percentile(50) == .zero)
    #expect(latencies.percentile(100) >= .seconds(3599))
  }
}
