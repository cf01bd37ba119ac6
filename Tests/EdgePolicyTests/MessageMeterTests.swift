import EdgeCore
import EdgePolicy
import Testing

@Suite struct MessageMeterTests {
  @Test func `a message over one limit is charged to none`() throws {
    let limits = MessageLimits(messages: try limit(1, burst: 2), bytes: try limit(10, burst: 10))
    let meter = MessageMeter(scopes: [MeteredScope(.connection, limits: limits, state: SharedMeter())])
    #expect(meter.charge(payloadBytes: 8, now: start) == .allowed)
    #expect(meter.charge(payloadBytes: 8, now: start).excess?.kind == .bytes)
    #expect(meter.charge(payloadBytes: 2, now: start) == .allowed)
    #expect(meter.charge(payloadBytes: 0, now: start).excess?.kind == .messages)
  }

  @Test func `a message over one scope is charged to none`() throws {
    let shared = SharedMeter()
    let wide = MeteredScope(.ip, limits: MessageLimits(messages: try limit(1, burst: 5)), state: shared)
    let full = MeteredScope(.user, limits: MessageLimits(messages: try limit(1, burst: 1)), state: SharedMeter())
    let meter = MessageMeter(scopes: [wide, full])
    #expect(meter.charge(payloadBytes: 0, now: start) == .allowed)
    for _ in 0..<10 { #expect(meter.charge(payloadBytes: 0, now: start).excess?.scope == .user) }
    let other = MessageMeter(scopes: [wide])
    #expect((0..<10).count { _ in other.charge(payloadBytes: 0, now: start) == .allowed } == 4)
  }

  @Test func `the strictest of the limits that have no room decides`() throws {
    for (actions, expected) in [
      ([.delay, .drop, .close], .close), ([.drop, .delay, .delay], .drop), ([.delay, .delay, .delay], .delay),
    ] as [([LimitAction], LimitAction)] {
      let scopes = try zip([.connection, .ip, .user] as [LimitScope], actions).map { scope, action in
        MeteredScope(scope, limits: MessageLimits(messages: try limit(1, burst: 1, over: action)), state: SharedMeter())
      }
      let meter = MessageMeter(scopes: scopes)
      #expect(meter.charge(payloadBytes: 0, now: start) == .allowed)
      #expect(meter.charge(payloadBytes: 0, now: start).action == expected)
    }
  }

  @Test func `who goes on beyond a limit for close_after is closed, and who pauses is not`() throws {
    for (step, expected) in [(Duration.milliseconds(100), LimitAction.close), (.milliseconds(2500), .drop)] {
      let messages = try limit(1, burst: 1, over: .drop, closeAfter: .seconds(5))
      let meter = MessageMeter(
        scopes: [MeteredScope(.connection, limits: MessageLimits(messages: messages), state: SharedMeter())])
      var strictest = LimitAction.delay
      var now = start
      while now < start + .seconds(60), strictest != .close {
        for _ in 0..<2 { strictest = max(strictest, meter.charge(payloadBytes: 0, now: now).action ?? .delay) }
        now = now + step
      }
      #expect(strictest == expected)
    }
  }

  @Test func `exactly so many pass as an obvious model says`() throws {
    var random = SplitMix(state: 7)
    for _ in 0..<200 {
      let (rate, burst) = (UInt64.random(in: 1...50, using: &random), UInt64.random(in: 1...20, using: &random))
      let meter = MessageMeter(scopes: [
        MeteredScope(
          .connection, limits: MessageLimits(messages: try limit(rate, burst: burst, over: .drop)), state: SharedMeter())
      ])
      var model = TokenBucket(rate: rate, burst: burst)
      var now = start
      for _ in 0..<200 {
        now = now + .microseconds(Int64.random(in: 0...200_000, using: &random))
        #expect((meter.charge(payloadBytes: 0, now: now) == .allowed) == model.take(now: now))
      }
    }
  }

  @Test func `what two scopes of the connection alone allow holds together, and one changes without the other`() throws {
    let meter = MessageMeter(scopes: [])
    meter.setLimits(MessageLimits(messages: try limit(1, burst: 3)), of: .throttle)
    meter.setLimits(MessageLimits(messages: try limit(1, burst: 2)), of: .rule)
    #expect((0..<3).map { _ in meter.charge(payloadBytes: 0, now: start) == .allowed } == [true, true, false])
    #expect(meter.limits(of: .rule)?.messages?.rate.burst == 2 && meter.limits(of: .throttle)?.messages?.rate.burst == 3)
    meter.setLimits(nil, of: .rule)
    #expect((0..<2).map { _ in meter.charge(payloadBytes: 0, now: start) == .allowed } == [true, false])
    #expect(meter.charge(payloadBytes: 0, now: start).excess?.scope == .throttle)
    meter.setLimits(nil, of: .throttle)
    #expect(meter.isEmpty)
  }

  @Test func `without limits every message passes`() {
    let meter = MessageMeter(scopes: [MeteredScope(.connection, limits: MessageLimits(), state: SharedMeter())])
    #expect(meter.isEmpty)
    #expect((0..<1000).allSatisfy { _ in meter.charge(payloadBytes: .max, now: start) == .allowed })
  }
}

/// A bucket in whole numbers: units of a nanosecond's share, so that nothing is rounded.
private struct TokenBucket {
  let rate: UInt64
  let capacity: UInt64
  var level: UInt64
  var last = start

  init(rate: UInt64, burst: UInt64) {
    self.rate = rate
    capacity = burst * 1_000_000_000
    level = capacity
  }

  mutating func take(now: Instant) -> Bool {
    level = min(capacity, level + UInt64((now - last).nanoseconds) * rate)
    last = now
    // A price is rounded down to whole nanoseconds.
    let price = 1_000_000_000 / rate * rate
    guard level >= price else { return false }
    level -= price
    return true
  }
}

extension MessageVerdict {
  fileprivate var excess: LimitExcess? {
    switch self {
    case .allowed: nil
    case .delayed(let excess), .dropped(let excess), .closing(let excess): excess
    }
  }

  fileprivate var action: LimitAction? { excess?.action }
}

private func limit(
  _ count: UInt64, burst: UInt64, over: LimitAction = .drop, closeAfter: Duration? = nil
) throws -> MeteredLimit {
  MeteredLimit(rate: try #require(GCRA(units: count, per: .seconds(1), burst: burst)), over: over, closeAfter: closeAfter)
}

private let start = Instant(nanoseconds: 1_000_000_000_000)
