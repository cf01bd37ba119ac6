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

  @Test func `are apart by durations that divide into whole nanoseconds`() {
    #expect(Duration.seconds(5) / 2 == .milliseconds(2_500))
    #expect(Duration.nanoseconds(7) / 2 == .nanoseconds(3))
    #expect(Duration.nanoseconds(-7) / 2 == .nanoseconds(-3))
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

@Suite struct `The watch over two clocks` {
  private var watch = ClockWatch(now: Instant(nanoseconds: 0), wall: WallTime(seconds: 1_000))

  @Test func `tells of a step in either direction, once`() {
    var watch = watch
    #expect(watch.step(now: at(1), wall: WallTime(seconds: 1_001)) == nil)
    #expect(watch.step(now: at(2), wall: WallTime(seconds: 4_602)) == .seconds(3_600))
    #expect(watch.step(now: at(3), wall: WallTime(seconds: 4_603)) == nil)
    #expect(watch.step(now: at(4), wall: WallTime(seconds: 1_004)) == .seconds(-3_600))
    #expect(watch.step(now: at(5), wall: WallTime(seconds: 1_005)) == nil)
  }

  @Test func `adds up a drift until it matters`() {
    var watch = watch
    for second in 1...10 {
      let drifted = WallTime(seconds: 1_000).adding(.milliseconds(second * 1_100))
      #expect(watch.step(now: at(second), wall: drifted) == nil)
    }
    #expect(watch.step(now: at(11), wall: WallTime(seconds: 1_000).adding(.milliseconds(12_100))) == .milliseconds(1_100))
  }

  @Test func `survives the ends of the range`() {
    var watch = watch
    #expect(watch.step(now: at(1), wall: WallTime(nanoseconds: .max)) != nil)
    #expect(watch.step(now: at(2), wall: WallTime(nanoseconds: .min)) != nil)
  }

  private func at(_ seconds: Int) -> Instant { Instant(nanoseconds: 0) + .seconds(seconds) }
}
