import EdgeCore
import EdgeRelay
import Testing

/// A receiver under watch, for which data waits from the start. Times are in seconds.
private final class Receiver {
  private var watch = StallWatch()
  private var limits: Shared<StallLimits>
  private var sentBytes: UInt64 = 100

  init(minBytes: Int = 4096, waitsSince start: UInt64) {
    limits = Shared(StallLimits(minBytes: minBytes, timeout: .seconds(30)))
    waits(at: start)
  }

  var nextDeadline: Instant? { watch.nextDeadline }

  func takes(_ count: UInt64) { sentBytes += count }

  func takesEverything() { watch.drained() }

  func waits(at seconds: UInt64) { watch.waits(sentBytes: sentBytes, limits: limits, now: instant(seconds)) }

  func adopts(minBytes: Int, timeout: Duration) {
    watch.adopt(Shared(StallLimits(minBytes: minBytes, timeout: timeout)))
  }

  func isStalled(at seconds: UInt64) -> Bool { watch.isStalled(sentBytes: sentBytes, now: instant(seconds)) }
}

private func instant(_ seconds: UInt64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

@Suite struct `A slow receiver` {
  @Test func `is stalled when it took too little in the window`() {
    let receiver = Receiver(waitsSince: 10)
    #expect(receiver.nextDeadline == instant(40))
    #expect(!receiver.isStalled(at: 39))
    receiver.takes(4095)
    #expect(receiver.isStalled(at: 40))
  }

  @Test func `has another window after enough progress, however much still waits`() {
    let receiver = Receiver(waitsSince: 0)
    receiver.takes(4096)
    #expect(!receiver.isStalled(at: 30))
    #expect(receiver.nextDeadline == instant(60))
    receiver.takes(4096)
    #expect(!receiver.isStalled(at: 60))
    #expect(receiver.isStalled(at: 90))
  }

  @Test func `goes by other limits in a window that has begun`() {
    let receiver = Receiver(waitsSince: 0)
    receiver.adopts(minBytes: 1, timeout: .seconds(5))
    #expect(receiver.nextDeadline == instant(5))
    receiver.takes(1)
    #expect(!receiver.isStalled(at: 5))
    receiver.adopts(minBytes: 2, timeout: .seconds(5))
    receiver.takes(1)
    #expect(receiver.isStalled(at: 10))
  }

  @Test func `keeps its window when more data comes to wait`() {
    let receiver = Receiver(waitsSince: 0)
    receiver.waits(at: 29)
    #expect(receiver.isStalled(at: 30))
  }

  @Test func `is no matter while nothing waits, and begins anew`() {
    let receiver = Receiver(waitsSince: 0)
    receiver.takesEverything()
    #expect(receiver.nextDeadline == nil)
    #expect(!receiver.isStalled(at: 1000))
    receiver.waits(at: 1001)
    #expect(!receiver.isStalled(at: 1030))
    #expect(receiver.isStalled(at: 1031))
  }

  @Test(arguments: [0, -1])
  func `is never stalled where no progress is asked`(_ minBytes: Int) {
    #expect(!Receiver(minBytes: minBytes, waitsSince: 0).isStalled(at: 1000))
  }
}
