import EdgeAuth
import EdgeCore
import Testing

@Suite struct `The schedule of a key set` {
  private let start = Instant(nanoseconds: 1_000_000_000_000)

  @Test func `the first fetch is due at once, and until it succeeds nothing serves`() {
    let refresh = schedule()
    #expect(refresh.dueAt == start)
    #expect(refresh.isExpired(now: start))
    #expect(refresh.age(now: start) == nil)
  }

  @Test(arguments: [(0.0, 540), (0.5, 600), (1.0, 660)])
  func `after a success the next fetch comes after the interval, a tenth sooner or later`(chance: Double, seconds: Int) {
    let refresh = schedule()
    refresh.succeed(at: start, chance: chance)
    #expect(refresh.dueAt == start + .seconds(seconds))
    #expect(refresh.age(now: start + .seconds(7)) == .seconds(7))
  }

  @Test func `after failures it comes in doubling steps, and never later than every five minutes or the interval`() {
    let refresh = schedule()
    var steps: [Duration] = []
    for _ in 0..<12 {
      refresh.fail(at: start)
      steps.append(refresh.dueAt - start)
    }
    #expect(steps.prefix(9) == [1, 2, 4, 8, 16, 32, 64, 128, 256].map { .seconds($0) }[...])
    #expect(steps.suffix(3) == Array(repeating: .seconds(300), count: 3)[...])
    let frequent = schedule(interval: .seconds(10))
    for _ in 0..<12 { frequent.fail(at: start) }
    #expect(frequent.dueAt == start + .seconds(10))
    for _ in 0..<1000 { refresh.fail(at: start, chance: 1) }
    #expect(refresh.dueAt == start + .seconds(450))
  }

  @Test func `an old set serves until its time is over, where fetching fails`() {
    let refresh = schedule(staleFor: .seconds(1000))
    refresh.succeed(at: start)
    // No failure, no end: a fetch that is late is no reason to turn everybody away.
    #expect(!refresh.isExpired(now: start + .seconds(5000)))
    refresh.fail(at: start + .seconds(600))
    #expect(!refresh.isExpired(now: start + .milliseconds(999_999)))
    #expect(refresh.isExpired(now: start + .seconds(1000)))
    refresh.succeed(at: start + .seconds(1001))
    #expect(!refresh.isExpired(now: start + .seconds(5000)))
  }

  @Test func `whoever sleeps until the next fetch is woken when the set's time is over`() {
    let refresh = schedule(staleFor: .seconds(602))
    refresh.succeed(at: start)
    #expect(refresh.wakeUp(now: start) == refresh.dueAt)
    for _ in 0..<5 { refresh.fail(at: start + .seconds(600)) }
    #expect(refresh.dueAt == start + .seconds(616))
    #expect(refresh.wakeUp(now: start + .seconds(600)) == start + .seconds(602))
    #expect(refresh.wakeUp(now: start + .seconds(602)) == refresh.dueAt)
  }

  @Test func `an unknown key makes one fetch due, and not a second one while that is awaited`() {
    let refresh = schedule()
    refresh.succeed(at: start)
    let now = start + .seconds(60)
    #expect(refresh.missed("new", now: now))
    #expect(refresh.dueAt == now)
    #expect(!refresh.missed("other", now: now))
    refresh.fetchBegan()
    #expect(!refresh.missed("other", now: now + .seconds(11)))
  }

  @Test func `a name that the provider did not know either is asked for once in five minutes`() {
    let refresh = schedule(interval: .seconds(7 * 86_400))
    refresh.succeed(at: start)
    #expect(refresh.missed("bad", now: start + .seconds(1)))
    refresh.succeed(at: start + .seconds(1))
    #expect(!refresh.missed("bad", now: start + .seconds(300)))
    #expect(refresh.missed(nil, now: start + .seconds(300)))
    refresh.succeed(at: start + .seconds(300))
    #expect(!refresh.missed(nil, now: start + .seconds(310)))
    #expect(refresh.missed("bad", now: start + .seconds(310)))
  }

  @Test func `a fetch that failed does not count against the name that it was for`() {
    let refresh = schedule()
    refresh.succeed(at: start)
    #expect(refresh.missed("new", now: start + .seconds(1)))
    refresh.fail(at: start + .seconds(1), chance: 1)
    refresh.fail(at: start + .seconds(3), chance: 1)
    refresh.fail(at: start + .seconds(7), chance: 1)
    #expect(!refresh.missed("new", now: start + .seconds(10)))
    #expect(refresh.missed("new", now: start + .seconds(11)))
  }

  @Test func `strangers cause one fetch in ten seconds, whatever they send and for however long`() {
    let refresh = schedule(interval: .seconds(7 * 86_400))
    refresh.succeed(at: start)
    var fetches = 0
    for step in 0..<100_000 {
      let now = start + .milliseconds(step * 20)
      guard refresh.missed("k\(step)", now: now) else { continue }
      fetches += 1
      refresh.succeed(at: now)
    }
    #expect(fetches == 200)
  }

  @Test func `an operator gets one at once, and one in ten seconds at most`() {
    let refresh = schedule()
    #expect(!refresh.demanded(now: start))
    refresh.succeed(at: start)
    #expect(refresh.demanded(now: start + .seconds(1)))
    #expect(refresh.dueAt == start + .seconds(1))
    refresh.succeed(at: start + .seconds(2))
    #expect(!refresh.demanded(now: start + .seconds(10)))
    #expect(refresh.demanded(now: start + .seconds(11)))
  }

  @Test func `a name too long for any set is not asked for`() {
    let refresh = schedule()
    refresh.succeed(at: start)
    #expect(!refresh.missed(String(repeating: "k", count: 257), now: start + .seconds(1)))
    #expect(refresh.missed(String(repeating: "k", count: 256), now: start + .seconds(1)))
  }

  private func schedule(interval: Duration = .seconds(600), staleFor: Duration = .seconds(86_400)) -> Schedule {
    Schedule(KeyRefresh(interval: interval, staleFor: staleFor, now: start))
  }
}

/// A schedule that `#expect` may change.
@dynamicMemberLookup
private final class Schedule {
  private var refresh: KeyRefresh

  init(_ refresh: KeyRefresh) { self.refresh = refresh }

  subscript<Value>(dynamicMember path: KeyPath<KeyRefresh, Value>) -> Value { refresh[keyPath: path] }

  func fetchBegan() { refresh.fetchBegan() }

  func succeed(at now: Instant, chance: Double = 0.5) {
    refresh.fetchBegan()
    refresh.fetchSucceeded(now: now, chance: chance)
  }

  func fail(at now: Instant, chance: Double = 0.5) {
    refresh.fetchBegan()
    refresh.fetchFailed(now: now, chance: chance)
  }

  func missed(_ keyID: String?, now: Instant) -> Bool { refresh.missed(keyID, now: now) }
  func demanded(now: Instant) -> Bool { refresh.demanded(now: now) }
  func age(now: Instant) -> Duration? { refresh.age(now: now) }
  func isExpired(now: Instant) -> Bool { refresh.isExpired(now: now) }
  func wakeUp(now: Instant) -> Instant { refresh.wakeUp(now: now) }
}
