import EdgeCore
import Testing

@Suite struct `Moments` {
  @Test func `add and subtract without overflow`() {
    let start = Instant(nanoseconds: 5)
    #expect((start + .seconds(2)) - start == .seconds(2))
    #expect(Instant.distantFuture + .seconds(1) == .distantFuture)
    #expect(start - (start + .seconds(1)) == .seconds(-1))
    #expect(Duration.seconds(Int64.max).nanoseconds == .max)
  }

  @Test(
    arguments: [(1_999_999_999, 1), (-1, -1), (-1_000_000_000, -1), (-1_000_000_001, -2), (.min, -9_223_372_037)]
      as [(Int64, Int64)])
  func `whole seconds of civil time round down`(nanoseconds: Int64, seconds: Int64) {
    #expect(WallTime(nanoseconds: nanoseconds).seconds == seconds)
  }

  @Test func `a connection's identifier survives its text`() {
    let id = ConnectionID(reactor: 3, serial: 77)
    #expect(ConnectionID(id.description) == id)
    #expect(id.reactor == 3)
    #expect(ConnectionID("short") == nil)
  }
}
