import EdgeCore
import EdgeTelemetry
import Testing

@testable import EdgeServer

@Suite struct `Timing messages` {
  @Test func `the first turn is timed, and then about one in 64`() {
    let sampler = TransitSampler()
    let chosen = (0..<64_000).filter { _ in sampler.isChosen() }
    #expect(chosen.first == 0)
    #expect((900...1_100).contains(chosen.count))
  }

  @Test(arguments: [2, 3, 16, 61, 64, 128])
  func `no rhythm of the clients hides one of them`(rhythm: Int) {
    let sampler = TransitSampler()
    let chosen = (0..<rhythm * 6_400).filter { _ in sampler.isChosen() }
    #expect(Set(chosen.map { $0 % rhythm }).count == rhythm)
  }

  @Test func `what waits is timed from the first turn on, for each direction by itself`() {
    let sampler = TransitSampler()
    sampler.waits(.sent, of: one, received: Instant(nanoseconds: 10))
    sampler.waits(.sent, of: one, received: Instant(nanoseconds: 20))
    sampler.waits(.received, of: one, received: Instant(nanoseconds: 30))
    #expect(sampler.drained(.sent, of: two) == nil)
    #expect(sampler.drained(.sent, of: one) == Instant(nanoseconds: 10))
    #expect(sampler.drained(.sent, of: one) == nil)
    #expect(sampler.drained(.received, of: one) == Instant(nanoseconds: 30))
  }

  @Test func `a connection that ends leaves nothing behind`() {
    let sampler = TransitSampler()
    for direction in MessageDirection.allCases { sampler.waits(direction, of: one, received: Instant(nanoseconds: 10)) }
    sampler.waits(.sent, of: two, received: Instant(nanoseconds: 20))
    sampler.forget(one)
    for direction in MessageDirection.allCases { #expect(sampler.drained(direction, of: one) == nil) }
    #expect(sampler.drained(.sent, of: two) == Instant(nanoseconds: 20))
  }

  private let one = ConnectionID(reactor: 0, serial: 1)
  private let two = ConnectionID(reactor: 0, serial: 2)
}
