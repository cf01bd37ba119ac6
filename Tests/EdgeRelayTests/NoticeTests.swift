import EdgeCore
import EdgePolicy
import EdgeRelay
import EdgeWebSocket
import Testing

private var telling: RelayLimits {
  var limits = RelayLimits.relaxed
  limits.givesNotice = true
  return limits
}

@Suite struct `A notice` {
  @Test func `tells of a delay in the form that is documented`() {
    let talk = Talk(telling, scopes: perSecond(20, burst: 1, over: .delay), after: [.client(text("a") + text("b"))])
    let notice =
      #"{"type":"edge.throttle","data":{"reason":"message_rate","action":"delay","limit":20,"window_ms":1000,"#
      + #""retry_after_ms":50,"dropped":0}}"#
    #expect(talk.clientHeard == [.text(notice)])
  }

  @Test func `stands between whole messages of the worker`() {
    for split in everySplit(of: [
      .worker(plain(1, utf8("x"), fin: false)), .client(text("a") + text("b")), .worker(plain(0, utf8("y"))),
    ]) {
      let talk = Talk(telling, scopes: perSecond(1, burst: 1, over: .drop), after: split)
      #expect(talk.clientHeard.count == 3)
      #expect(
        talk.clientHeard.prefix(2) == [
          .fragment(opcode: 1, utf8("x"), isLast: false), .fragment(opcode: 0, utf8("y"), isLast: true),
        ])
    }
  }

  @Test func `of drops comes once a second, with their number`() {
    let talk = Talk(telling, scopes: perSecond(1, per: .seconds(100), burst: 1, over: .drop))
    for _ in 0..<30 { talk.happens(.client(text("a"))) }
    #expect(talk.clientHeard.count == 1)
    talk.happens(.wait(.seconds(1)))
    #expect(talk.clientHeard.count == 2)
    guard case .text(let notice) = talk.clientHeard[1] else { return #expect(Bool(false)) }
    #expect(notice.hasSuffix(#""dropped":28}}"#))
    talk.happens(.wait(.seconds(10)))
    #expect(talk.clientHeard.count == 2)
  }

  @Test func `that waits for the worker's message to end asks for no timer`() {
    let talk = Talk(telling, scopes: perSecond(1, per: .seconds(1000), burst: 1, over: .drop))
    talk.happens(.client(text("a") + text("b")))
    talk.happens(.worker(plain(1, utf8("x"), fin: false)))
    talk.happens(.client(text("c")))
    talk.happens(.wait(.seconds(2)))
    #expect(talk.nextDeadline > talk.now)
    talk.happens(.worker(plain(0)))
    #expect(talk.clientHeard.count == 4)
  }

  @Test func `is not given where the route does not say so`() {
    let talk = Talk(
      scopes: perSecond(1, burst: 1, over: .drop),
      after: [.client(text("a") + text("b")), .edgeTells(.expiring(in: .seconds(1)))])
    #expect(talk.clientHeard == [])
  }
}

@Suite struct `A token's end` {
  @Test func `is told before, and closes the connection when it comes`() {
    let talk = Talk(telling, after: [.tokenEnds(in: .seconds(20), warning: .seconds(10)), .wait(.seconds(10))])
    #expect(talk.clientHeard == [.text(#"{"type":"edge.token_expiring","data":{"expires_in_ms":10000}}"#)])
    talk.happens(.wait(.milliseconds(9_999)))
    #expect(talk.ending == nil)
    talk.happens(.wait(.milliseconds(1)))
    #expect(talk.ending == RelayEnding(initiator: .edge, code: .unauthorized, reason: "token_expired"))
  }

  @Test func `moves with a renewal`() {
    let talk = Talk(
      telling,
      after: [
        .tokenEnds(in: .seconds(20), warning: .seconds(10)), .wait(.seconds(9)),
        .tokenEnds(in: .seconds(20), warning: .seconds(10)),
        .edgeTells(.renewed(expiresIn: .seconds(20))), .wait(.seconds(9)),
      ])
    #expect(talk.clientHeard == [.text(#"{"type":"edge.token_renewed","data":{"expires_in_ms":20000}}"#)])
    #expect(talk.ending == nil)
  }
}

@Suite struct `A message for the edge` {
  private var renewing: RelayLimits {
    var limits = RelayLimits.relaxed
    limits.takesTokens = true
    return limits
  }

  @Test func `is taken out, however it is split`() {
    let renewal = #"{"type":"edge.token","data":{"token":"a.b.c"}}"#
    for split in everySplit(of: [.client(text("hi") + text(renewal) + text("ho"))]) {
      let talk = Talk(renewing, after: split)
      #expect(talk.tokens == [renewal])
      #expect(talk.workerHeard == [.text("hi"), .text("ho")])
    }
  }

  @Test(arguments: [
    #"{"type":"edge.tokens"}"#, #"{ "type":"edge.token"}"#, #"{"type": "edge.token"}"#, #"{"type":"edge.token"#, "x",
  ])
  func `begins exactly so, or is the worker's`(_ message: String) {
    for split in everySplit(of: [.client(text(message))]) {
      #expect(Talk(renewing, after: split).workerHeard == [.text(message)])
    }
  }

  @Test func `is the worker's where it is fragmented, binary, too long, or the route takes none`() {
    let renewal = utf8(#"{"type":"edge.token","data":{"token":"a.b.c"}}"#)
    let long = renewal + [UInt8](repeating: 0x20, count: TokenMessage.maxBytes - renewal.count + 1)
    for message in [masked(1, renewal, fin: false) + masked(0), masked(2, renewal), masked(1, long)] {
      let talk = Talk(renewing, after: [.client(message)])
      #expect(talk.tokens == [])
      #expect(talk.toWorker == message)
    }
    #expect(Talk(after: [.client(masked(1, renewal))]).toWorker == masked(1, renewal))
  }

  @Test func `comes at most fifty times at once`() {
    let renewals = (0..<60).flatMap { _ in text(#"{"type":"edge.token"}"#) }
    let talk = Talk(renewing, after: [.client(renewals)])
    #expect(talk.tokens.count == 50)
    #expect(talk.clientWaits)
  }
}
