import EdgeCore
import EdgePolicy
import EdgeRelay
import EdgeWebSocket
import Testing

@Suite struct `A message beyond a limit` {
  @Test func `waits for its turn, and then passes with what follows it`() {
    let events: [Event] = [.client(text("a") + text("b") + text("c"))]
    for split in everySplit(of: events) {
      let talk = Talk(scopes: perSecond(2, burst: 1, over: .delay), after: split)
      #expect(talk.workerHeard == [.text("a")])
      #expect(talk.clientWaits)
      talk.happens(.wait(.milliseconds(500)))
      #expect(talk.workerHeard == [.text("a"), .text("b")])
      talk.happens(.wait(.milliseconds(500)))
      #expect(talk.workerHeard == [.text("a"), .text("b"), .text("c")])
      #expect(!talk.clientWaits)
      #expect(talk.excesses.map(\.action) == [.delay, .delay])
    }
  }

  @Test func `is dropped whole, fragments and all, while control frames between them pass`() {
    let fragmented = masked(1, utf8("xy"), fin: false) + masked(9, [7]) + masked(0, utf8("z"))
    for split in everySplit(of: [.client(text("a") + fragmented + masked(9, [8]))]) {
      let talk = Talk(scopes: perSecond(1, burst: 1, over: .drop), after: split)
      #expect(talk.workerHeard == [.text("a"), .ping([7]), .ping([8])])
      #expect(talk.excesses.map(\.action) == [.drop])
      talk.happens(.wait(.seconds(1)))
      talk.happens(.client(text("b")))
      #expect(talk.workerHeard.last == .text("b"))
    }
  }

  @Test func `closes the connection, telling when to come back`() {
    for split in everySplit(of: [.client(text("a") + text("b"))]) {
      let talk = Talk(scopes: perSecond(1, burst: 1, over: .close), after: split)
      #expect(talk.workerHeard == [.text("a"), .close(1001, "rate_limited;retry_after=1")])
      #expect(talk.clientHeard == [.close(4429, "rate_limited;retry_after=1")])
    }
  }

  @Test func `ends a client that the worker has closed already: it has its Close, and is not read any more`() {
    for split in everySplit(of: [.worker(plain(8, closing(1000))), .client(text("a") + text("b") + text("c"))]) {
      let talk = Talk(scopes: perSecond(1, burst: 1, over: .close), after: split)
      #expect(talk.workerHeard == [.text("a"), .close(1001, "rate_limited;retry_after=1"), .end])
      #expect(talk.clientHeard == [.close(1000, ""), .end])
      #expect(talk.excesses.count == 1)
      #expect(talk.ending == RelayEnding(initiator: .worker, code: .normal, reason: ""))
    }
  }

  @Test func `has its verdict from its first frame: fragments of an allowed message pass`() {
    let message = masked(2, [1], fin: false) + masked(0, [2], fin: false) + masked(0, [3])
    for split in everySplit(of: [.client(message)]) {
      let talk = Talk(scopes: perSecond(1, burst: 1, over: .close), after: split)
      #expect(talk.toWorker == message)
    }
  }

  @Test func `may not hide its bytes in fragments: the next one pays for them`() throws {
    let bytes = try #require(GCRA(units: 10, per: .seconds(1), burst: 10))
    let scope = MeteredScope(
      .connection, limits: MessageLimits(bytes: MeteredLimit(rate: bytes)), state: SharedMeter())
    let talk = Talk(scopes: [scope], after: [.client(masked(2, fin: false) + masked(0, [UInt8](repeating: 1, count: 50)))])
    #expect(talk.messagesFromClient.map(\.payloadBytes) == [50])
    talk.happens(.client(text("a")))
    #expect(talk.clientWaits)
    talk.happens(.wait(.milliseconds(4_099)))
    #expect(talk.messagesFromClient.count == 1)
    talk.happens(.wait(.milliseconds(1)))
    #expect(talk.messagesFromClient.count == 2)
  }

  @Test func `holds silence and idleness up as long as it waits`() {
    let talk = Talk(scopes: perSecond(1, per: .seconds(1000), burst: 1, over: .delay), after: [.client(text("a") + text("b"))])
    talk.happens(.wait(.seconds(999)))
    #expect(talk.nonces == [])
    #expect(talk.ending == nil)
    talk.happens(.wait(.seconds(1)))
    #expect(talk.workerHeard == [.text("a"), .text("b")])
    talk.happens(.wait(.seconds(25)))
    #expect(talk.nonces.count == 1)
  }

  @Test func `does not keep a Close of the edge from the client, nor the client's answer from ending it`() {
    let talk = Talk(scopes: perSecond(1, per: .seconds(1000), burst: 1, over: .delay), after: [.client(text("a") + text("b"))])
    talk.happens(.edgeCloses(.forbidden, "kicked"))
    #expect(talk.clientHeard == [.close(4403, "kicked")])
    #expect(!talk.clientWaits)
    talk.happens(.client(masked(8, closing(4403))))
    #expect(talk.isClientFinished)
    #expect(talk.workerHeard == [.text("a"), .close(1001, "kicked")])
  }

  @Test func `gives its turn back when the connection ends`() {
    let state = SharedMeter()
    let scopes = { perSecond(1, burst: 1, over: .delay, state: state) }
    let first = Talk(scopes: scopes(), after: [.client(text("a") + text("b"))])
    #expect(first.clientWaits)
    first.happens(.clientEnds)
    let second = Talk(scopes: scopes(), after: [.wait(.seconds(1)), .client(text("c"))])
    #expect(second.workerHeard == [.text("c")])
  }

  @Test func `of one connection takes turns with those of another`() {
    let state = SharedMeter()
    let talks = (0..<3).map { _ in Talk(scopes: perSecond(1, burst: 1, over: .delay, state: state)) }
    for talk in talks { talk.happens(.client([UInt8]((0..<20).flatMap { _ in text("x") }))) }
    for _ in 0..<9 {
      for talk in talks { talk.happens(.wait(.seconds(1))) }
    }
    let counts = talks.map(\.messagesFromClient.count)
    #expect(counts.reduce(0, +) == 10)
    #expect(counts.allSatisfy { (3...4).contains($0) })
  }

  @Test func `passes again once a rule has ended`() {
    let talk = Talk(after: [
      .ruleHolds(MessageLimits(messages: limit(1, per: .seconds(1000), burst: 1))), .client(text("a") + text("b")),
    ])
    #expect(talk.clientWaits)
    talk.happens(.ruleHolds(nil))
    talk.happens(.client(text("c")))
    #expect(talk.workerHeard == [.text("a"), .text("b"), .text("c")])
  }

  @Test func `goes on waiting when the same rule is told again`() {
    let rule = MessageLimits(messages: limit(1, per: .seconds(1000), burst: 1))
    let talk = Talk(after: [.ruleHolds(rule), .client(text("a") + text("b")), .ruleHolds(rule)])
    #expect(talk.clientWaits)
    #expect(talk.workerHeard == [.text("a")])
  }
}

@Suite struct `A frame that announces too much` {
  private let huge: [UInt8] = [0x82, 0xFF, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]
  private let hugeContinuation: [UInt8] = [0x80, 0xFF, 0x40, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]

  @Test(arguments: LimitAction.allCases) func `is 1009, and charges nothing that others would have to wait for`(over: LimitAction)
    throws
  {
    let rate = try #require(GCRA(units: 1000, per: .seconds(1), burst: 1000))
    let limits = MessageLimits(bytes: MeteredLimit(rate: rate, over: over))
    for bytes in [huge, masked(1, [0x61], fin: false) + hugeContinuation, huge + text("a")] {
      for split in everySplit(of: [.client(bytes)]) {
        let state = SharedMeter()
        let scopes = { [MeteredScope(.ip, limits: limits, state: state)] }
        #expect(Talk(scopes: scopes(), after: split).ending?.code == .messageTooBig)
        #expect(Talk(scopes: scopes(), after: [.client(text("hello"))]).messagesFromClient.count == 1)
      }
    }
  }

  @Test(arguments: [LimitAction.drop, .close]) func `or a wait without end is told without a trap`(over: LimitAction) throws {
    var limits = RelayLimits.relaxed
    limits.givesNotice = true
    let rate = try #require(GCRA(units: 1, per: .nanoseconds(Int64.max), burst: 1))
    let state = SharedMeter()
    for _ in 0..<8 { _ = state.messages.reserve(.max, of: rate, now: Instant(nanoseconds: 1)) }
    let scope = MeteredScope(.ip, limits: MessageLimits(messages: MeteredLimit(rate: rate, over: over)), state: state)
    let talk = Talk(limits, scopes: [scope], after: [.client(text("a"))])
    #expect(talk.excesses.count == 1)
    #expect(talk.clientHeard.count == 1)
  }
}

@Suite struct `Behind a worker's Close` {
  @Test func `what the client still says stays within its limits`() {
    let talk = Talk(
      scopes: perSecond(1, burst: 1, over: .delay),
      after: [.client(text("a") + text("b") + text("c") + masked(8, closing(1000))), .worker(plain(8, closing(1000)))])
    #expect(talk.workerHeard == [.text("a")])
    talk.happens(.wait(.seconds(1)))
    #expect(talk.workerHeard == [.text("a"), .text("b")])
    talk.happens(.wait(.seconds(1)))
    #expect(talk.workerHeard == [.text("a"), .text("b"), .text("c"), .close(1000, ""), .end])
  }

  @Test func `a client that would have to wait longer than a closing handshake takes is let go`() {
    let talk = Talk(
      scopes: perSecond(1, per: .seconds(1000), burst: 1, over: .delay),
      after: [.client(text("a") + text("b")), .worker(plain(8, closing(1000))), .wait(.seconds(5))])
    #expect(talk.workerHeard == [.text("a"), .end])
    #expect(talk.isClientFinished)
    #expect(!talk.clientWaits)
  }

  @Test func `a token is the edge's as before`() {
    var limits = RelayLimits.relaxed
    limits.takesTokens = true
    let talk = Talk(limits, after: [.worker(plain(8, closing(1000))), .client(text(#"{"type":"edge.token","token":"a"}"#))])
    #expect(talk.toWorker == [])
    #expect(talk.tokens.count == 1)
  }
}

@Suite struct `The budget of control frames and fragments` {
  @Test func `lets 500 pings through at once, makes the next wait, and closes who goes on for five seconds`() {
    let talk = Talk(after: [.client([UInt8]((0..<2000).flatMap { _ in masked(9) }))])
    #expect(talk.workerHeard.count == 500)
    talk.happens(.wait(.seconds(1)))
    #expect(talk.workerHeard.count == 600)
    talk.happens(.wait(.seconds(5)))
    #expect(talk.ending == RelayEnding(initiator: .edge, code: .policyViolation, reason: "rate_limited;retry_after=1"))
  }

  @Test(arguments: [1 << 20, 4 << 20])
  func `takes as many pieces as the largest message has in pieces of 64 bytes`(_ bytes: Int) {
    var limits = RelayLimits.relaxed
    limits.maxMessageBytes = bytes
    let last = bytes / 64 - 1
    let talk = Talk(limits, after: [.client((0...last).flatMap { masked($0 == 0 ? 2 : 0, [9], fin: $0 == last) })])
    #expect(talk.messagesFromClient.map(\.payloadBytes) == [last + 1])
    #expect(talk.excesses == [])
  }

  @Test func `closes who sends empty fragments without end`() {
    let talk = Talk(after: [.client(masked(2, fin: false) + [UInt8]((0..<60_000).flatMap { _ in masked(0, fin: false) }))])
    talk.happens(.wait(.seconds(6)))
    #expect(talk.ending?.code == .policyViolation)
  }

  @Test func `does not count large fragments, nor answers to the edge's pings`() {
    let large = [UInt8](repeating: 1, count: 1024)
    var events: [Event] = [.client(masked(2, fin: false))]
    for _ in 0..<1000 { events.append(.client(masked(0, large, fin: false))) }
    events.append(.client(masked(0)))
    for round in 0..<20 {
      events += [.wait(.seconds(25)), .client(masked(10, [1, 2, 3, 4, 5, 6, 7, UInt8(8 + round)]))]
    }
    events.append(.client([UInt8]((0..<500).flatMap { _ in masked(9) })))
    let talk = Talk(after: events)
    #expect(talk.nonces.count == 20)
    #expect(talk.excesses == [])
  }

  @Test func `counts a second pong to one ping`() {
    let pong = masked(10, [1, 2, 3, 4, 5, 6, 7, 8])
    let talk = Talk(after: [.wait(.seconds(25)), .client([UInt8]((0..<502).flatMap { _ in pong }))])
    #expect(talk.workerHeard.count == 500)
    #expect(talk.clientWaits)
  }
}

func text(_ text: String) -> [UInt8] { masked(1, utf8(text)) }

func limit(_ count: UInt64, per period: Duration = .seconds(1), burst: UInt64, over: LimitAction = .delay) -> MeteredLimit? {
  GCRA(units: count, per: period, burst: burst).map { MeteredLimit(rate: $0, over: over) }
}

/// One scope that limits messages by count.
func perSecond(
  _ count: UInt64, per period: Duration = .seconds(1), burst: UInt64, over: LimitAction, state: SharedMeter = SharedMeter()
) -> [MeteredScope] {
  [MeteredScope(.connection, limits: MessageLimits(messages: limit(count, per: period, burst: burst, over: over)), state: state)]
}
