import EdgeCore
import Testing

@testable import sluice_bench

@Suite struct ScheduleTests {
  @Test(arguments: [1, 3, 7, 999, 10_000, 1_000_000])
  func `a second holds as many messages as the rate says, evenly apart`(rate: Int) {
    let schedule = Schedule(began: Instant(nanoseconds: 5_000), perSecond: rate)
    #expect(schedule.moment(of: 0) == Instant(nanoseconds: 5_000))
    #expect(schedule.moment(of: rate) == Instant(nanoseconds: 1_000_005_000))
    for number in 0..<min(rate, 2_000) {
      let gap = (schedule.moment(of: number + 1) - schedule.moment(of: number)).nanoseconds
      #expect((1_000_000_000 / Int64(rate)...1_000_000_000 / Int64(rate) + 1).contains(gap))
    }
  }

  @Test func `rounding does not add up`() {
    let schedule = Schedule(began: Instant(nanoseconds: 0), perSecond: 3)
    #expect(schedule.moment(of: 3 * 600) == Instant(nanoseconds: 600_000_000_000))
  }

  @Test func `the last message of the longest run has a moment`() {
    let schedule = Schedule(began: Instant(nanoseconds: 0), perSecond: 1_000_000)
    #expect(schedule.moment(of: 660_000_000) == Instant(nanoseconds: 660_000_000_000))
  }
}
