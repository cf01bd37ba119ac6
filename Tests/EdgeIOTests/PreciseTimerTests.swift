import EdgeCore
import EdgeIO
import Testing

@Suite struct PreciseTimerTests {
  @Test func `a moment comes, never early, as often as it is set`() throws {
    let reactor = try Reactor()
    var fired: [Instant] = []
    let timer = try PreciseTimer { fired.append(MonotonicClock.now()) }
    try timer.attach(to: reactor)
    for round in 1...3 {
      let moment = MonotonicClock.now() + .microseconds(300)
      timer.set(at: moment)
      reactor.run(until: { fired.count == round })
      #expect(fired.last.map { $0 >= moment } == true)
    }
    reactor.removeAll()
  }

  @Test func `a moment that is past comes at once, and once`() throws {
    let reactor = try Reactor()
    var fired = 0
    let timer = try PreciseTimer { fired += 1 }
    try timer.attach(to: reactor)
    timer.set(at: Instant(nanoseconds: 0))
    reactor.run(until: { fired == 1 })
    for _ in 0..<3 { reactor.runTurn() }
    #expect(fired == 1)
    reactor.removeAll()
  }

  @Test func `the last moment set counts`() throws {
    let reactor = try Reactor()
    var fired: [Instant] = []
    let timer = try PreciseTimer { fired.append(MonotonicClock.now()) }
    try timer.attach(to: reactor)
    timer.set(at: MonotonicClock.now() + .seconds(3600))
    timer.set(at: MonotonicClock.now())
    reactor.run(until: { fired.count == 1 })
    reactor.removeAll()
  }
}
