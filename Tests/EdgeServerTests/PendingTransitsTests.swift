import EdgeCore
import EdgeTelemetry
import Testing

@testable import EdgeServer

@Suite struct `Messages that are timed and wait` {
  private let one = ConnectionID(reactor: 0, serial: 1)
  private let two = ConnectionID(reactor: 0, serial: 2)

  @Test func `the first that waits counts, for each direction by itself`() {
    var pending = PendingTransits()
    pending.waits(.sent, of: one, since: Instant(nanoseconds: 10))
    pending.waits(.sent, of: one, since: Instant(nanoseconds: 20))
    pending.waits(.received, of: one, since: Instant(nanoseconds: 30))
    #expect(pending.drained(.sent, of: two) == nil)
    #expect(pending.drained(.sent, of: one) == Instant(nanoseconds: 10))
    #expect(pending.drained(.sent, of: one) == nil)
    #expect(pending.drained(.received, of: one) == Instant(nanoseconds: 30))
  }

  @Test func `a connection that ends leaves nothing behind`() {
    var pending = PendingTransits()
    for direction in MessageDirection.allCases { pending.waits(direction, of: one, since: Instant(nanoseconds: 10)) }
    pending.waits(.sent, of: two, since: Instant(nanoseconds: 20))
    pending.forget(one)
    for direction in MessageDirection.allCases { #expect(pending.drained(direction, of: one) == nil) }
    #expect(pending.drained(.sent, of: two) == Instant(nanoseconds: 20))
  }
}
