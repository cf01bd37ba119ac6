import EdgeWebSocket
import Testing

private let bye = CloseCode(rawValue: 4000)

@Suite struct `A relayed closing handshake (RFC 6455 §7.1)` {
  @Test(arguments: FrameSender.allCases)
  func `passes a Close on and its answer back, whoever begins`(_ side: FrameSender) {
    var handshake = ClosingHandshake()
    #expect(handshake.phase == .open)
    #expect(handshake.receivedClose(bye, from: side) == .forward)
    #expect(handshake.phase == .closing)
    #expect(handshake.receivedClose(bye, from: side.opposite) == .forwardThenEndBoth)
    #expect(handshake.phase == .done)
  }

  @Test(arguments: FrameSender.allCases)
  func `ends when both sides close at once`(_ side: FrameSender) {
    var handshake = ClosingHandshake()
    _ = handshake.receivedClose(.normal, from: side)
    #expect(handshake.receivedClose(.goingAway, from: side.opposite) == .forwardThenEndBoth)
  }

  @Test(arguments: FrameSender.allCases)
  func `keeps the answers to the edge's own Close`(_ first: FrameSender) {
    var handshake = ClosingHandshake()
    #expect(handshake.decidedToClose() == .closeBoth)
    #expect(handshake.receivedClose(bye, from: first) == .endThisSide)
    #expect(handshake.receivedClose(bye, from: first) == .ignore)
    #expect(handshake.receivedClose(bye, from: first.opposite) == .endBoth)
    #expect(handshake.phase == .done)
  }

  @Test(arguments: FrameSender.allCases)
  func `ignores a second Close of the same side`(_ side: FrameSender) {
    var handshake = ClosingHandshake()
    _ = handshake.receivedClose(bye, from: side)
    #expect(handshake.receivedClose(bye, from: side) == .ignore)
    #expect(handshake.receivedClose(bye, from: side.opposite) == .forwardThenEndBoth)
  }

  @Test func `lets a Close that is under way run its course when the edge decides too`() {
    var relayed = ClosingHandshake()
    _ = relayed.receivedClose(bye, from: .client)
    #expect(relayed.decidedToClose() == .ignore)
    #expect(relayed.receivedClose(bye, from: .worker) == .forwardThenEndBoth)
    #expect(relayed.decidedToClose() == .ignore)
    var decided = ClosingHandshake()
    _ = decided.decidedToClose()
    #expect(decided.decidedToClose() == .ignore)
  }

  @Test func `is done at the deadline, whatever was awaited`() {
    var handshake = ClosingHandshake()
    _ = handshake.decidedToClose()
    handshake.deadlinePassed()
    #expect(handshake.phase == .done)
    #expect(handshake.receivedClose(bye, from: .client) == .ignore)
    #expect(handshake.lost(.worker) == .ignore)
  }
}

@Suite struct `A lost side` {
  @Test func `client is an end without Close to the worker`() {
    var handshake = ClosingHandshake()
    #expect(handshake.lost(.client) == .endOther)
    #expect(handshake.phase == .done)
  }

  @Test func `worker is 1014 to the client, whose answer is awaited`() {
    var handshake = ClosingHandshake()
    #expect(handshake.lost(.worker) == .closeClient(.badGateway))
    #expect(handshake.phase == .closing)
    #expect(handshake.receivedClose(.badGateway, from: .client) == .endBoth)
  }

  @Test func `worker that owes an answer leaves it to the edge`() {
    var handshake = ClosingHandshake()
    _ = handshake.receivedClose(bye, from: .client)
    #expect(handshake.lost(.worker) == .answerClientThenEnd(bye))
    #expect(handshake.phase == .done)
  }

  @Test func `client that owes an answer is an end to the worker`() {
    var handshake = ClosingHandshake()
    _ = handshake.receivedClose(bye, from: .worker)
    #expect(handshake.lost(.client) == .endOther)
    #expect(handshake.phase == .done)
  }

  @Test(arguments: FrameSender.allCases)
  func `that has sent its Close leaves the other time to answer`(_ side: FrameSender) {
    var handshake = ClosingHandshake()
    _ = handshake.receivedClose(bye, from: side)
    #expect(handshake.lost(side) == .awaitOther)
    #expect(handshake.receivedClose(bye, from: side.opposite) == .endBoth)
  }

  @Test(arguments: FrameSender.allCases)
  func `no longer owes an answer to the edge`(_ side: FrameSender) {
    var handshake = ClosingHandshake()
    _ = handshake.decidedToClose()
    #expect(handshake.lost(side) == .awaitOther)
    #expect(handshake.lost(side) == .awaitOther)
    #expect(handshake.lost(side.opposite) == .endBoth)
    #expect(handshake.phase == .done)
  }
}
