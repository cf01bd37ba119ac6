import EdgeCore
import EdgePolicy
import Testing

@Suite struct SharedBucketTests {
  @Test(arguments: [1, 2, 4]) func `of many at once exactly the burst gets through`(threads: Int) async throws {
    let limit = try #require(GCRA(units: 1, per: .seconds(3600), burst: 1000))
    let bucket = SharedBucket()
    let allowed = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<threads {
        group.addTask { (0..<2000).count { _ in bucket.charge(1, of: limit, now: start) == .allowed } }
      }
      return await group.reduce(0, +)
    }
    #expect(allowed == 1000)
  }

  @Test func `reservations get their turns one after the other, and a refund gives one back`() throws {
    let limit = try #require(GCRA(units: 10, per: .seconds(1), burst: 1))
    let bucket = SharedBucket()
    #expect(
      (0..<4).map { _ in bucket.reserve(1, of: limit, now: start) } == [
        .zero, .milliseconds(100), .milliseconds(200), .milliseconds(300),
      ])
    bucket.refund(1, of: limit)
    #expect(bucket.reserve(1, of: limit, now: start) == .milliseconds(300))
    #expect(bucket.verdict(on: 1, of: limit, now: start) == .retryAfter(.milliseconds(400)))
    #expect(!bucket.isFull(now: start))
    #expect(bucket.isFull(now: start + .milliseconds(400)))
  }
}

private let start = Instant(nanoseconds: 1_000_000_000_000)
