import EdgeCore
import EdgeRelay
import EdgeWebSocket
import Testing

private let hello = masked(1, utf8("hello"))
private let hi = plain(1, utf8("hi"))
private let firstNonce: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]

@Suite struct `Pings of the edge` {
  @Test func `go to a client that was silent for the interval`() {
    let talk = Talk(after: [.client(hello), .wait(.milliseconds(24_999)), .worker(hi)])
    #expect(talk.nonces == [])
    talk.happens(.wait(.milliseconds(1)))
    #expect(talk.clientHeard == [.text("hi"), .ping(firstNonce)])
  }

  @Test func `do not go to a client that talks, be it a byte`() {
    let talk = Talk(after: [
      .wait(.seconds(20)), .client([hello[0]]), .wait(.seconds(20)), .client(Array(hello.dropFirst())), .wait(.seconds(24)),
    ])
    #expect(talk.nonces == [])
  }

  @Test func `do not go to a client that has a worker's ping to answer`() {
    for talk in talks(.relaxed, .wait(.seconds(24)), .worker(plain(9, [7])), .wait(.seconds(20))) {
      #expect(talk.clientHeard == [.ping([7])])
      talk.happens(.client(masked(10, [7])))
      talk.happens(.wait(.milliseconds(24_999)))
      #expect(talk.nonces == [])
      talk.happens(.wait(.milliseconds(1)))
      #expect(talk.nonces.count == 1)
    }
  }

  @Test func `are answered by their nonce, which the worker does not see`() {
    for talk in talks(.relaxed, .wait(.seconds(25)), .client(masked(10, firstNonce) + hello)) {
      #expect(talk.workerHeard == [.text("hello")])
      talk.happens(.wait(.seconds(24)))
      #expect(talk.ending == nil)
    }
  }

  @Test func `are answered by any other bytes as well, and a late pong is still the edge's`() {
    for talk in talks(.relaxed, .wait(.seconds(25)), .client(hello), .wait(.seconds(20)), .client(masked(10, firstNonce))) {
      #expect(talk.ending == nil)
      #expect(talk.workerHeard == [.text("hello")])
    }
  }

  @Test(arguments: [[], [1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7, 9], [UInt8](repeating: 1, count: 125)])
  func `leave other pongs to the worker`(_ payload: [UInt8]) {
    for talk in talks(.relaxed, .wait(.seconds(25)), .client(masked(10, payload))) {
      #expect(talk.toWorker == masked(10, payload))
    }
    #expect(Talk(after: [.client(masked(10, firstNonce))]).toWorker == masked(10, firstNonce))
  }

  @Test func `wait for another interval where a frame is unfinished`() {
    let talk = Talk(after: [.worker(Array(hi.prefix(3))), .wait(.seconds(26)), .worker(Array(hi.suffix(1)))])
    #expect(talk.clientHeard == [.text("hi")])
    talk.happens(.wait(.seconds(24)))
    #expect(talk.clientHeard == [.text("hi"), .ping(firstNonce)])
  }

  @Test func `do not go out once a Close is under way`() {
    let talk = Talk(after: [.wait(.seconds(24)), .client(masked(8)), .wait(.seconds(4))])
    #expect(talk.nonces == [])
  }

  @Test func `each bear a nonce of their own`() {
    let talk = Talk(after: [.wait(.seconds(25)), .client(masked(10, firstNonce)), .wait(.seconds(25))])
    #expect(talk.nonces.count == 2 && Set(talk.nonces).count == 2)
  }
}

@Suite struct `A client that does not answer` {
  @Test func `is closed with 4408`() {
    let talk = Talk(after: [.wait(.milliseconds(44_999))])
    #expect(talk.ending == nil)
    talk.happens(.wait(.milliseconds(1)))
    #expect(talk.clientHeard == [.ping(firstNonce), .close(4408, "pong_timeout")])
    #expect(talk.workerHeard == [.close(1001, "pong_timeout")])
    #expect(talk.ending == RelayEnding(initiator: .network, code: .timeout, reason: "pong_timeout"))
    talk.happens(.wait(.seconds(5)))
    #expect(talk.isClientFinished && talk.isWorkerFinished)
  }

  @Test func `is closed with the route's own code where it has one`() {
    var limits = RelayLimits.relaxed
    limits.closeCodes.timeout = .policyViolation
    #expect(Talk(limits, after: [.wait(.seconds(45))]).clientHeard.last == .close(1008, "pong_timeout"))
  }

  @Test func `to the worker's ping has the timeout, and never less than a silent client has`() {
    let soon = Talk(after: [.wait(.seconds(1)), .worker(plain(9)), .wait(.milliseconds(43_999))])
    #expect(soon.ending == nil)
    soon.happens(.wait(.milliseconds(1)))
    #expect(soon.ending?.code == .timeout)
    let late = Talk(after: [
      .wait(.seconds(24)), .client(hello), .wait(.seconds(24)), .worker(plain(9)), .worker(plain(9)), .wait(.seconds(20)),
    ])
    #expect(late.ending == nil)
    late.happens(.wait(.seconds(1)))
    #expect(late.ending?.code == .timeout)
  }
}

@Suite struct `A connection on which nobody talks` {
  private let limits = {
    var limits = RelayLimits.relaxed
    limits.idleTimeout = .seconds(60)
    return limits
  }()

  /// Answers every ping for a minute, less a millisecond.
  private let alive: [Event] = [
    .wait(.seconds(24)), .client(masked(10)), .wait(.seconds(24)), .client(masked(9)), .wait(.milliseconds(11_999)),
  ]

  @Test func `is closed with 1001, whatever pings and pongs pass`() {
    let talk = Talk(limits, after: alive)
    #expect(talk.ending == nil)
    talk.happens(.wait(.milliseconds(1)))
    #expect(talk.clientHeard == [.close(1001, "idle_timeout")])
    #expect(talk.workerHeard.last == .close(1001, "idle_timeout"))
    #expect(talk.ending == RelayEnding(initiator: .edge, code: .goingAway, reason: "idle_timeout"))
  }

  @Test func `is closed with the route's own code where it has one`() {
    var limits = limits
    limits.closeCodes.idle = .tryAgainLater
    #expect(Talk(limits, after: alive + [.wait(.milliseconds(1))]).clientHeard == [.close(1013, "idle_timeout")])
  }

  @Test(arguments: [
    Event.client(hello), .worker(hi), .worker(plain(2, [1], fin: false)),
    .client(Array(masked(2, [UInt8](repeating: 1, count: 99)).prefix(20))),
  ])
  func `is not one where a message passes, or a part of one`(_ event: Event) {
    let talk = Talk(limits, after: alive + [event, .wait(.seconds(24)), .client(masked(10))] + [.wait(.seconds(24))])
    #expect(talk.ending == nil)
  }
}

@Suite struct `The clocks stand still` {
  @Test func `while nobody reads from the client`() {
    let talk = Talk(after: [.wait(.seconds(24)), .clientIsPaused])
    #expect(talk.nextDeadline == .distantFuture)
    talk.happens(.wait(.seconds(3600)))
    talk.happens(.clientIsResumed)
    talk.happens(.wait(.milliseconds(24_999)))
    #expect(talk.nonces == [] && talk.ending == nil)
    talk.happens(.wait(.milliseconds(1)))
    #expect(talk.nonces.count == 1)
  }

  @Test func `while data waits for the client`() {
    let talk = Talk(after: [.clientFallsBehind, .wait(.seconds(3600)), .clientCatchesUp, .wait(.seconds(24))])
    #expect(talk.nonces == [] && talk.ending == nil)
  }

  @Test func `until both reasons are over`() {
    let talk = Talk(after: [.clientFallsBehind, .clientIsPaused, .wait(.seconds(3600)), .clientIsResumed])
    #expect(talk.nextDeadline == .distantFuture)
    talk.happens(.clientCatchesUp)
    #expect(talk.nextDeadline == talk.now + .seconds(25))
  }

  @Test func `and a ping that is under way has its whole timeout afterwards`() {
    for ping in [Event.wait(.seconds(25)), .worker(plain(9))] {
      let talk = Talk(after: [
        .wait(.seconds(0)), ping, .clientIsPaused, .wait(.seconds(100)), .clientIsResumed, .wait(.milliseconds(44_999)),
      ])
      #expect(talk.ending == nil)
      talk.happens(.wait(.milliseconds(1)))
      #expect(talk.ending?.code == .timeout)
    }
  }

  @Test func `and the pong that comes afterwards is still the edge's`() {
    let talk = Talk(after: [
      .wait(.seconds(25)), .clientIsPaused, .wait(.seconds(100)), .clientIsResumed, .client(masked(10, firstNonce)),
    ])
    #expect(talk.toWorker == [])
  }

  @Test func `but not that of the closing handshake`() {
    let talk = Talk(after: [.clientIsPaused, .edgeCloses(.forbidden, "kicked"), .wait(.seconds(5))])
    #expect(talk.isClientFinished && talk.isWorkerFinished)
  }
}
