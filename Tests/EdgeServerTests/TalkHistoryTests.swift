import EdgeCore
import Testing

@testable import EdgeServer

@Suite struct `The history of who talks` {
  @Test func `compares with a look that is at least a second and at most a minute old`() {
    var history = TalkHistory()
    let expected: [(second: Double, base: Double?)] = [
      (10, nil), (10.5, nil), (11, 10), (11.5, 10), (12, 11), (20, 12), (20.1, 12), (80.1, nil), (81.2, 80.1),
    ]
    for (second, base) in expected {
      let now = Instant(nanoseconds: UInt64(second * 1e9))
      #expect(history.base(now: now)?.at == base.map { Instant(nanoseconds: UInt64($0 * 1e9)) }, "at \(second) s")
      history.keep(TalkLook(at: now))
    }
  }
}
