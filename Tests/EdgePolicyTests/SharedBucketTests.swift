import EdgeCore
import EdgePolicy
import Testing

@Suite struct SharedBucketTests {
  @Test(arguments: [1, 2, 4]) func `of many at once exactly the burst gets through`(threads: Int) async throws {
    let limit = try #require(GCRA(units: 1, per: .seconds(3600), burst: 1000))
    let meter = SharedMeter()
    let allowed = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<threads {
        group.addTask { (0..<2000).count { _ in meter.messages.charge(1, of: limit, now: start) == .allowed } }
      }
      return await group.reduce(0, +)
    }
    #expect(allowed == 1000)
  }

  @Test func `reservations get their turns one after the other, and a refund gives one back`() throws {
    let limit = try #require(GCRA(units: 10, per: .seconds(1), burst: 1))
    let bucket = SharedBucket()
    let waits = (0..<4).map { _ in bucket.reserve(1, of: limit, now: start) }
    #expect(waits == [.zero, .milliseconds(100), .milliseconds(200), .milliseconds(300)])
    bucket.refund(1, of: limit)
    let again = bucket.reserve(1, of: limit, now: start)
    #expect(again == .milliseconds(300))
    let verdict = bucket.verdict(on: 1, of: limit, now: start)
    #expect(verdict == .retryAfter(.milliseconds(400)))
    let isFull = (bucket.isFull(now: start), bucket.isFull(now: start + .milliseconds(400)))
    #expect(isFull == (false, true))
  }
}

private let start = Instant(nanoseconds: 1_000_000_000_000)
