import EdgeCore
import EdgePolicy
import Testing

@Suite struct AdmissionRampTests {
  @Test func `a tenth of a second's worth begins at once, the others one after the other`() throws {
    let ramp = try #require(AdmissionRamp(count: 100, per: .seconds(1), queueTimeout: .seconds(10)))
    let waits = (0..<15).map { _ in wait(ramp, now: start) }
    #expect(waits == Array(repeating: .zero, count: 10) + (1...5).map { .milliseconds(10 * $0) })
  }

  @Test func `whoever would wait longer than the timeout gets no slot, and takes none`() throws {
    let ramp = try #require(AdmissionRamp(count: 10, per: .seconds(1), queueTimeout: .seconds(1)))
    #expect((0..<100).count { _ in wait(ramp, now: start) != nil } == 11)
    #expect(ramp.reserveSlot(now: start) == .tooLate(retryAfter: .milliseconds(100)))
    #expect(wait(ramp, now: start + .milliseconds(100)) == .seconds(1))
  }

  @Test(arguments: [(1, 60), (1, 1), (8, 1)]) func `a slow ramp still lets one in at once`(count: Int, seconds: Int) throws {
    let ramp = try #require(AdmissionRamp(count: count, per: .seconds(seconds), queueTimeout: .seconds(3600)))
    #expect(wait(ramp, now: start) == .zero)
    #expect(wait(ramp, now: start) == .seconds(seconds) / count)
  }

  @Test func `refusals have the same rate, and take nothing from those who come in`() throws {
    let ramp = try #require(AdmissionRamp(count: 100, per: .seconds(1), queueTimeout: .seconds(10)))
    #expect((0..<50).count { _ in ramp.chargeRefusal(now: start) } == 10)
    #expect((0..<500).count { _ in ramp.chargeRefusal(now: start + .seconds(1)) } == 10)
    #expect(wait(ramp, now: start + .seconds(1)) == .zero)
  }

  @Test func `the extremes neither trap nor stop`() throws {
    let ramp = try #require(AdmissionRamp(count: .max, per: .nanoseconds(1), queueTimeout: .zero))
    #expect(wait(ramp, now: start) == .zero)
    #expect(AdmissionRamp(count: 0, per: .seconds(1), queueTimeout: .zero) == nil)
  }

  private func wait(_ ramp: AdmissionRamp, now: Instant) -> Duration? {
    switch ramp.reserveSlot(now: now) {
    case .begins(at: let slot): slot - now
    case .tooLate: nil
    }
  }
}

@Suite struct PacedQueueTests {
  @Test func `a queue is unused where nobody waits and no slot is left over`() {
    var queue = PacedQueue<Int>()
    let soon = Instant(nanoseconds: 100)
    #expect(queue.isUnused)
    #expect(queue.append(1, now: Instant(nanoseconds: 0)) { soon })
    #expect(!queue.isUnused)
    // The client goes away before its slot has come: the slot is for the next one.
    #expect(queue.popFirst() == 1)
    #expect(!queue.isUnused)
    #expect(queue.append(2, now: Instant(nanoseconds: 50)) { nil })
    #expect(queue.popDue(now: soon) { _ in false } == 2)
    #expect(queue.isUnused)
  }

  @Test func `first come, first served, each at a slot of its own`() {
    var queue = PacedQueue<Int>()
    for number in 1...3 { #expect(queue.append(number, now: start) { start + .milliseconds(10 * number) }) }
    #expect(queue.nextSlot == start + .milliseconds(10))
    #expect(pop(&queue, at: 9) == nil)
    #expect(pop(&queue, at: 25) == 1)
    #expect(pop(&queue, at: 25) == 2)
    #expect(pop(&queue, at: 25) == nil)
    #expect(pop(&queue, at: 30) == 3)
    #expect(queue.nextSlot == nil)
  }

  @Test func `without a slot nobody waits`() {
    var queue = PacedQueue<Int>()
    #expect(!queue.append(1, now: start) { nil })
    #expect(queue.popFirst() == nil)
  }

  @Test func `where somebody has gone, those behind move forward, and the last slot is left over`() {
    var queue = PacedQueue<Int>()
    for number in 1...4 { _ = queue.append(number, now: start) { start + .milliseconds(10 * number) } }
    #expect(pop(&queue, at: 10, gone: [1, 2]) == 3)
    #expect(pop(&queue, at: 10) == nil)
    var asked = 0
    for number in 5...7 {
      _ = queue.append(number, now: start + .milliseconds(10)) {
        asked += 1
        return start + .milliseconds(50)
      }
    }
    #expect(asked == 1, "two slots were left over")
    #expect((2...5).map { pop(&queue, at: 10 * $0) } == [4, 5, 6, 7])
  }

  @Test func `a slot that nobody used is lost`() {
    var queue = PacedQueue<Int>()
    for number in 1...3 { _ = queue.append(number, now: start) { start + .milliseconds(10 * number) } }
    #expect(pop(&queue, at: 10, gone: [1, 2, 3]) == nil)
    #expect(queue.append(4, now: start + .milliseconds(100)) { start + .milliseconds(100) })
    #expect(queue.nextSlot == start + .milliseconds(100))
  }

  /// Several reactors, clients that come, wait and leave at random: whatever happens, no window sees more than the ramp says.
  @Test(arguments: 0..<8)
  func `the pace holds over all reactors, and nobody is overtaken in one`(seed: Int) throws {
    var random = SplitMix(state: UInt64(seed))
    let ramp = try #require(AdmissionRamp(count: 100, per: .seconds(1), queueTimeout: .seconds(2)))
    var queues = [PacedQueue<Int>(), PacedQueue<Int>()]
    var began: [Instant] = []
    var lastOfReactor = [-1, -1]
    var gone: Set<Int> = []
    var now = start
    for number in 0..<3000 {
      now = now + .milliseconds(number % 1000 < 500 ? 1 : 20)
      let reactor = Int.random(in: 0...1, using: &random)
      _ = queues[reactor].append(number, now: now) {
        if case .begins(at: let slot) = ramp.reserveSlot(now: now) { slot } else { nil }
      }
      if Int.random(in: 0..<4, using: &random) == 0 { gone.insert(number - Int.random(in: 0..<50, using: &random)) }
      for reactor in 0...1 {
        while let client = queues[reactor].popDue(now: now, isGone: gone.contains) {
          #expect(client > lastOfReactor[reactor])
          lastOfReactor[reactor] = client
          began.append(now)
        }
      }
    }
    #expect(began.count > 1000)
    // A turn of the loop may be as late as the longest step of the time above.
    for first in began.indices {
      let window = began[first...].prefix { $0 - began[first] <= .seconds(1) }
      #expect(window.count <= 100 + 10 + 3)
    }
  }

  private func pop(_ queue: inout PacedQueue<Int>, at milliseconds: Int, gone: Set<Int> = []) -> Int? {
    queue.popDue(now: start + .milliseconds(milliseconds), isGone: gone.contains)
  }
}

private let start = Instant(nanoseconds: 1_000_000_000_000)
