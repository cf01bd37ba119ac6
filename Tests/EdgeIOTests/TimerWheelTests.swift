import EdgeCore
import EdgeIO
import Testing

@Suite struct `Timer wheel` {
  @Test func `a timer is due at its deadline, not before`() {
    var wheel = TimerWheel(now: .zero)
    wheel.set(0, at: .zero + .milliseconds(100))
    #expect(wheel.due(at: .zero + .milliseconds(99)) == [])
    #expect(wheel.due(at: .zero + .milliseconds(102)) == [0])
    #expect(wheel.due(at: .zero + .seconds(1)) == [])
    #expect(wheel.nextWake == nil)
  }

  @Test func `earlier deadlines come first`() {
    var wheel = TimerWheel(now: .zero)
    for (timer, milliseconds) in [500, 3, 70, 100_000, 5_000, 4].enumerated() {
      wheel.set(timer, at: .zero + .milliseconds(milliseconds))
    }
    #expect(wheel.due(at: .zero + .seconds(200)) == [1, 5, 2, 0, 4, 3])
  }

  @Test func `setting a timer again replaces its deadline`() {
    var wheel = TimerWheel(now: .zero)
    wheel.set(7, at: .zero + .milliseconds(10))
    wheel.set(7, at: .zero + .seconds(10))
    #expect(wheel.due(at: .zero + .seconds(9)) == [])
    #expect(wheel.due(at: .zero + .seconds(11)) == [7])
  }

  @Test func `a cancelled timer is never due`() {
    var wheel = TimerWheel(now: .zero)
    wheel.set(1, at: .zero + .milliseconds(10))
    wheel.set(2, at: .zero + .milliseconds(10))
    wheel.cancel(1)
    wheel.cancel(99)
    #expect(wheel.due(at: .zero + .seconds(1)) == [2])
  }

  @Test func `a timer that is due can still be cancelled`() {
    var wheel = TimerWheel(now: .zero)
    for timer in 0..<3 { wheel.set(timer, at: .zero + .milliseconds(5 * timer)) }
    let now = Instant.zero + .seconds(1)
    #expect(wheel.popDue(at: now) == 0)
    wheel.cancel(1)
    #expect(wheel.popDue(at: now) == 2)
    #expect(wheel.popDue(at: now) == nil)
  }

  @Test func `a deadline in the past is due in the next tick, so that no timer fires twice in one`() {
    var wheel = TimerWheel(now: .zero + .seconds(5))
    wheel.set(0, at: .zero)
    #expect(wheel.due(at: .zero + .seconds(5)) == [])
    #expect(wheel.due(at: .zero + .milliseconds(5_002)) == [0])
  }

  @Test(arguments: [1, 63, 64, 65, 4_095, 4_096, 4_097, 262_144, 16_777_216, 1 << 40])
  func `a deadline on a border between levels fires in its own tick`(tick: UInt64) {
    var wheel = TimerWheel(now: .zero)
    wheel.set(0, at: Instant(nanoseconds: tick << 20))
    #expect(wheel.due(at: Instant(nanoseconds: tick << 20 - 1)) == [])
    #expect(wheel.due(at: Instant(nanoseconds: tick << 20)) == [0])
  }

  @Test func `the end of time is a deadline like any other`() {
    var wheel = TimerWheel(now: .zero)
    wheel.set(0, at: .distantFuture)
    #expect(wheel.due(at: .zero + .seconds(1_000_000_000)) == [])
    #expect(wheel.due(at: .distantFuture) == [0])
  }

  @Test func `waiting for a far deadline takes at most eight wakes`() throws {
    var wheel = TimerWheel(now: .zero + .milliseconds(12_345))
    let deadline = Instant.zero + .seconds(86_400 * 365)
    wheel.set(0, at: deadline)
    var wakes = 0
    var fired: [Int] = []
    while fired.isEmpty, wakes < 100 {
      let wake = try #require(wheel.nextWake)
      fired = wheel.due(at: wake)
      wakes += 1
      #expect(fired.isEmpty == (wake < deadline))
    }
    #expect(wakes <= 8)
  }

  @Test(arguments: 1...20)
  func `agrees with a list that is searched`(seed: UInt64) {
    var random = SplitMix(state: seed)
    var now = Instant(nanoseconds: random.next() >> random.next(below: 30))
    var wheel = TimerWheel(now: now)
    var model: [Int: Instant] = [:]
    for _ in 0..<3_000 {
      let timer = Int(random.next(below: 50))
      switch random.next(below: 4) {
      case 0, 1:
        let deadline = now + .nanoseconds(Int64(random.next() >> (20 + random.next(below: 40))))
        wheel.set(timer, at: deadline)
        model[timer] = deadline
      case 2:
        wheel.cancel(timer)
        model[timer] = nil
      default:
        now = now + .nanoseconds(Int64(random.next() >> (24 + random.next(below: 40))))
        let due = wheel.due(at: now)
        for timer in due { #expect((model[timer] ?? .distantFuture) <= now, "never early") }
        #expect(
          due == due.sorted { tick(model[$0]) < tick(model[$1]) || tick(model[$0]) == tick(model[$1]) && before($0, $1, due) })
        for timer in due { model[timer] = nil }
        for deadline in model.values { #expect(now < deadline + .nanoseconds(1 << 20), "at most a tick late") }
        if let first = model.values.min() { #expect((wheel.nextWake ?? .distantFuture) <= first + .nanoseconds(1 << 20)) }
      }
    }
  }
}

extension TimerWheel {
  /// All timers that are due at `now`, in order.
  fileprivate mutating func due(at now: Instant) -> [Int] {
    var due: [Int] = []
    while let timer = popDue(at: now) { due.append(timer) }
    return due
  }
}

extension Instant {
  fileprivate static let zero = Instant(nanoseconds: 0)
}

private func tick(_ deadline: Instant?) -> UInt64 {
  ((deadline?.nanoseconds ?? 0) + (1 << 20 - 1)) >> 20
}

private func before(_ lhs: Int, _ rhs: Int, _ order: [Int]) -> Bool {
  (order.firstIndex(of: lhs) ?? 0) < (order.firstIndex(of: rhs) ?? 0)
}

/// A small generator of numbers that are the same in every run (SplitMix64).
private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  mutating func next(below bound: UInt64) -> UInt64 { next() % bound }
}
