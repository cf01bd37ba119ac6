import EdgeCore
import Testing

@testable import EdgeAdmin

@Suite struct `Connections that get nowhere` {
  private let watch = ConnectionWatch()

  @Test func `are cut off when a whole request has not come in time, however often a byte does`() {
    watch.opened(1, descriptor: 11, now: at(0))
    watch.opened(2, descriptor: 12, now: at(10))
    #expect(ended(at: 19).isEmpty)
    #expect(ended(at: 20) == [11])
    watch.closed(1)
    #expect(ended(at: 29).isEmpty)
    #expect(ended(at: 30) == [12])
  }

  @Test func `begin anew with each answer that was taken`() {
    watch.opened(1, descriptor: 11, now: at(0))
    watch.answering(1, isStream: false, now: at(15))
    #expect(ended(at: 60).isEmpty)
    watch.answered(1, now: at(70))
    #expect(ended(at: 89).isEmpty)
    #expect(ended(at: 90) == [11])
  }

  @Test func `are cut off when an answer is not taken in time, unless it has no end`() {
    watch.opened(1, descriptor: 11, now: at(0))
    watch.opened(2, descriptor: 12, now: at(0))
    watch.answering(1, isStream: false, now: at(1))
    watch.answering(2, isStream: true, now: at(1))
    #expect(ended(at: 60).isEmpty)
    #expect(ended(at: 100_000) == [11])
  }

  @Test func `that are closed are never touched again`() {
    watch.opened(1, descriptor: 11, now: at(0))
    watch.closed(1)
    watch.answered(1, now: at(0))
    watch.answering(1, isStream: false, now: at(0))
    #expect(ended(at: 1_000).isEmpty)
  }

  private func at(_ seconds: Int) -> Instant { Instant(nanoseconds: 0) + .seconds(seconds) }

  private func ended(at seconds: Int) -> [Int32] {
    var ended: [Int32] = []
    watch.endSlow(now: at(seconds)) { ended.append($0) }
    return ended
  }
}
