import EdgeCore
import EdgePolicy
import Testing

@Suite struct GCRATests {
  @Test func `a burst passes at once, and not one more`() throws {
    for (units, burst) in [(20, 40), (3, 7), (10, 1), (1, 5), (999, 1000)] as [(UInt64, UInt64)] {
      let limit = try #require(GCRA(units: units, per: .seconds(1), burst: burst))
      var word: UInt64 = 0
      #expect((0..<burst * 3).count { _ in take(limit, &word, at: start) == .allowed } == burst)
    }
  }

  @Test func `what was refused fits after the time that was told, and not a nanosecond earlier`() throws {
    let limit = try #require(GCRA(units: 20, per: .seconds(1), burst: 2))
    var word: UInt64 = 0
    for _ in 0..<2 { #expect(take(limit, &word, at: start) == .allowed) }
    #expect(take(limit, &word, at: start) == .retryAfter(.milliseconds(50)))
    #expect(take(limit, &word, at: start + .nanoseconds(49_999_999)) == .retryAfter(.nanoseconds(1)))
    #expect(take(limit, &word, at: start + .milliseconds(50)) == .allowed)
    #expect(take(limit, &word, at: start + .milliseconds(50)) == .retryAfter(.milliseconds(50)))
  }

  @Test func `a refusal takes nothing`() throws {
    let limit = try #require(GCRA(units: 1, per: .seconds(1), burst: 1))
    var word: UInt64 = 0
    #expect(take(limit, &word, at: start) == .allowed)
    for _ in 0..<1000 { #expect(take(limit, &word, at: start) == .retryAfter(.seconds(1))) }
  }

  @Test func `a charge above the burst needs a full bucket, and is paid for in full`() throws {
    let limit = try #require(GCRA(units: 100, per: .seconds(1), burst: 50))
    var word: UInt64 = 0
    #expect(take(limit, &word, cost: 300, at: start) == .allowed)
    #expect(take(limit, &word, cost: 1, at: start) == .retryAfter(.milliseconds(2510)))
    #expect(take(limit, &word, cost: 300, at: start + .seconds(2)) == .retryAfter(.seconds(1)))
    #expect(take(limit, &word, cost: 300, at: start + .seconds(3)) == .allowed)
  }

  @Test func `a refund makes the charge undone`() throws {
    let limit = try #require(GCRA(units: 10, per: .seconds(1), burst: 4))
    let (charged, _) = limit.charge(0, cost: 3, now: start)
    let (again, verdict) = limit.charge(limit.refund(charged, cost: 3), cost: 4, now: start)
    #expect(verdict == .allowed)
    #expect(!GCRA.isFull(again, now: start))
    #expect(GCRA.isFull(again, now: start + .milliseconds(400)))
    #expect(limit.refund(0, cost: 3) == 0)
  }

  @Test(arguments: [(0, 1, 1), (1, 0, 1), (1, 1, 0), (1, -1, 1)] as [(UInt64, Int, UInt64)])
  func `a limit that says nothing is refused`(units: UInt64, seconds: Int, burst: UInt64) {
    #expect(GCRA(units: units, per: .seconds(seconds), burst: burst) == nil)
  }

  @Test func `the extremes neither trap nor wrap`() throws {
    let limit = try #require(GCRA(units: 1, per: .nanoseconds(Int64.max), burst: .max))
    var word: UInt64 = 0
    _ = take(limit, &word, cost: .max, at: .distantFuture)
    _ = take(limit, &word, cost: .max, at: Instant(nanoseconds: 0))
    #expect(word == .max)
    let fast = try #require(GCRA(units: .max, per: .nanoseconds(1), burst: 1))
    var free: UInt64 = 0
    #expect(take(fast, &free, cost: .max, at: start) == .allowed)
  }

  /// The model keeps whole bucket contents, in units times nanoseconds of the period, so that it is exact.
  @Test(arguments: 0..<40)
  func `verdicts are those of a plain token bucket`(seed: Int) throws {
    var random = SplitMix(state: UInt64(seed))
    let units = [1, 2, 5, 10, 20, 25, 50, 100, 1000].randomElement(using: &random) ?? 1
    let burst = Int.random(in: 1...60, using: &random)
    let limit = try #require(GCRA(units: UInt64(units), per: .seconds(1), burst: UInt64(burst)))
    let costOfOne = 1_000_000_000
    var word: UInt64 = 0
    var bucket = burst * costOfOne
    var now = start
    for _ in 0..<2000 {
      let step = Int.random(in: 0..<2_500_000_000 / units, using: &random)
      now = now + .nanoseconds(step)
      bucket = min(burst * costOfOne, bucket + step * units)
      let cost = Int.random(in: 1...burst, using: &random)
      let isAllowed = bucket >= cost * costOfOne
      #expect((take(limit, &word, cost: UInt64(cost), at: now) == .allowed) == isAllowed)
      if isAllowed { bucket -= cost * costOfOne }
    }
  }

  private func take(_ limit: GCRA, _ word: inout UInt64, cost: UInt64 = 1, at now: Instant) -> GCRA.Verdict {
    let (next, verdict) = limit.charge(word, cost: cost, now: now)
    word = next
    return verdict
  }
}

private let start = Instant(nanoseconds: 1_000_000_000_000)

/// A small generator with a seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
