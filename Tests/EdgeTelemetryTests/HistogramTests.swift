import Testing

@testable import EdgeTelemetry

@Suite struct `Histograms` {
  @Test(
    arguments: [
      (0, 0), (1, 0), (16, 0), (17, 1), (32, 1), (33, 2), (1_024, 6), (1_025, 7), (1 << 20, 16), (1 << 20 + 1, 17), (.max, 17),
    ] as [(UInt64, Int)])
  func `a size falls into the first power of two that holds it`(bytes: UInt64, bucket: Int) {
    #expect(BucketScale.bytes.bucket(of: bytes) == bucket)
  }

  @Test(arguments: [BucketScale.bytes, .latency, .transit, .lifetime])
  func `every bound is the last value of its bucket`(scale: BucketScale) {
    for (index, bound) in scale.bounds.enumerated() {
      #expect(scale.bucket(of: bound) == index)
      #expect(scale.bucket(of: bound + 1) == index + 1)
    }
    #expect(scale.bounds == scale.bounds.sorted())
  }

  @Test func `durations are counted in the unit of their scale, negative ones as zero`() {
    let latency = Histogram(.latency)
    latency.record(.milliseconds(3))
    latency.record(.seconds(-1))
    #expect(latency.snapshot.sum == 3_000_000)
    #expect(latency.snapshot.counts[0] == 1)
    let lifetime = Histogram(.lifetime)
    lifetime.record(.seconds(90))
    #expect(lifetime.snapshot.sum == 90_000)
  }

  @Test func `snapshots of several reactors add up`() {
    let first = Histogram(.bytes)
    let second = Histogram(.bytes)
    first.record(10)
    second.record(10)
    second.record(5_000_000)
    var sum = first.snapshot
    sum.add(second.snapshot)
    #expect(sum.counts.first == 2)
    #expect(sum.counts.last == 1)
    #expect(sum.sum == 5_000_020)
  }
}
