import EdgeCore
import EdgeRelay
import EdgeWebSocket
import Testing

private let hello = masked(1, utf8("hello"))
private let hi = plain(1, utf8("hi"))

@Suite struct `Messages` {
  @Test func `bytes of both sides pass unchanged, whole messages are told`() {
    let fromClient = hello + masked(9, [1]) + masked(2, [1, 2], fin: false) + masked(10) + masked(0, [3]) + masked(1)
    let fromWorker = hi + plain(2, [UInt8](repeating: 7, count: 300)) + plain(9) + plain(10, [2])
    for talk in talks(.relaxed, .client(fromClient), .worker(fromWorker)) {
      #expect(talk.toWorker == fromClient)
      #expect(talk.toClient == fromWorker)
      #expect(talk.messagesFromClient.map(\.payloadBytes) == [5, 3, 0])
      #expect(talk.messagesFromClient.map(\.isText) == [true, false, true])
      #expect(talk.messagesFromWorker.map(\.payloadBytes) == [2, 300])
      #expect(talk.ending == nil && !talk.isClientFinished && !talk.isWorkerFinished)
    }
  }
}

@Suite struct `The Close of a side` {
  @Test(arguments: [masked(8), masked(8, closing(1000)), masked(8, closing(4321, "bye, tschüß"))])
  func `a client's Close reaches the worker unchanged`(_ close: [UInt8]) {
    for talk in talks(.relaxed, .client(hello + close)) {
      #expect(talk.toWorker == hello + close)
      #expect(talk.toClient == [])
      #expect(!talk.isClientFinished && !talk.isWorkerFinished)
    }
  }

  @Test func `a client whose Close no worker answers gets its own back at the deadline`() {
    let talk = Talk(after: [.client(masked(8, closing(4321, "bye"))), .wait(.seconds(4))])
    #expect(talk.clientHeard == [])
    talk.happens(.wait(.seconds(2)))
    #expect(talk.clientHeard == [.close(4321, "bye"), .end])
    #expect(talk.isClientFinished && talk.isWorkerFinished)
  }

  @Test func `a worker's Close reaches the client unchanged`() {
    let close = plain(8, closing(4000, "room closed"))
    for talk in talks(.relaxed, .worker(hi + close)) {
      #expect(talk.toClient == hi + close)
      #expect(talk.ending == RelayEnding(initiator: .worker, code: CloseCode(rawValue: 4000), reason: "room closed"))
      #expect(!talk.isClientFinished && !talk.isWorkerFinished)
    }
  }

  @Test func `the answer passes too, and both connections are done`() {
    let answer = plain(8, closing(1000, "ok"))
    for talk in talks(.relaxed, .client(masked(8, closing(1000))), .worker(hi + answer)) {
      #expect(talk.toClient == hi + answer)
      #expect(talk.isClientFinished && talk.isWorkerFinished)
      #expect(talk.ending == RelayEnding(initiator: .client, code: .normal, reason: ""))
    }
  }

  @Test func `what a side says after its Close is not looked at`() {
    for talk in talks(.relaxed, .client(masked(8) + hello + [0xFF, 0xFF]), .worker(plain(8) + hi + [0xFF])) {
      #expect(talk.toWorker == masked(8))
      #expect(talk.toClient == plain(8))
      #expect(talk.errors == [])
    }
  }

  @Test func `messages still come to a side that has said Close`() {
    for talk in talks(.relaxed, .client(masked(8)), .worker(hi + hi + plain(9))) {
      #expect(talk.clientHeard == [.text("hi"), .text("hi"), .ping([])])
    }
  }

  @Test func `nothing comes to a side after the Close it got`() {
    for talk in talks(.relaxed, .worker(plain(8)), .client(hello), .worker(hi + plain(9))) {
      #expect(talk.clientHeard == [.close(nil, "")])
      #expect(talk.workerHeard == [.text("hello")])
    }
  }

  @Test func `Close frames that cross are each other's answer`() {
    for talk in talks(.relaxed, .client(masked(8, closing(1000))), .worker(plain(8, closing(1001)))) {
      #expect(talk.workerHeard == [.close(1000, ""), .end])
      #expect(talk.clientHeard == [.close(1001, ""), .end])
    }
  }

  @Test func `an answer that does not come ends both connections at the deadline`() {
    for talk in talks(.relaxed, .client(masked(8)), .wait(.milliseconds(4999)), .worker(hi)) {
      #expect(!talk.isClientFinished && !talk.isWorkerFinished)
      talk.happens(.wait(.milliseconds(1)))
      #expect(talk.clientHeard == [.text("hi"), .close(nil, ""), .end])
      #expect(talk.workerHeard == [.close(nil, ""), .end])
    }
  }

  @Test func `a Close without a code ends with 1005 in the log`() {
    #expect(Talk(after: [.client(masked(8))]).ending == RelayEnding(initiator: .client, code: .noStatus, reason: ""))
  }
}

@Suite struct `A client that is lost` {
  @Test func `is a TCP end to the worker`() {
    for talk in talks(.relaxed, .client(hello), .clientEnds) {
      #expect(talk.workerHeard == [.text("hello"), .end])
      #expect(talk.isClientFinished)
      #expect(talk.ending == RelayEnding(initiator: .network, code: .abnormal, reason: ""))
    }
  }

  @Test func `in the middle of a frame is a TCP end in the middle of that frame`() {
    for talk in talks(.relaxed, .client(Array(hello.dropLast())), .clientEnds) {
      #expect(talk.isWorkerFinished && !talk.workerHeard.contains(.text("hello")))
    }
  }

  @Test func `hears nothing more`() {
    for talk in talks(.relaxed, .worker(Array(hi.prefix(3))), .clientEnds, .worker(Array(hi.suffix(1)) + hi + plain(8))) {
      #expect(talk.toClient.count <= 3)
    }
  }

  @Test func `after its Close leaves the worker time to answer`() {
    for talk in talks(.relaxed, .client(masked(8)), .clientEnds) {
      #expect(!talk.isWorkerFinished)
      talk.happens(.worker(plain(8)))
      #expect(talk.workerHeard == [.close(nil, ""), .end])
      #expect(talk.toClient == [])
    }
  }
}

@Suite struct `A decision of the edge` {
  @Test func `is its code to the client, and 1001 with its word to the worker`() {
    for talk in talks(.relaxed, .client(hello), .worker(hi), .edgeCloses(.forbidden, "kicked")) {
      #expect(talk.clientHeard == [.text("hi"), .close(4403, "kicked")])
      #expect(talk.workerHeard == [.text("hello"), .close(1001, "kicked")])
      #expect(talk.ending == RelayEnding(initiator: .edge, code: .forbidden, reason: "kicked"))
    }
  }

  @Test func `is final: nothing but the answers is awaited, and they go nowhere`() {
    for talk in talks(
      .relaxed, .edgeCloses(.forbidden, "kicked"), .client(hello + masked(9) + masked(8, closing(4403))), .worker(hi + plain(8)))
    {
      #expect(talk.clientHeard == [.close(4403, "kicked"), .end])
      #expect(talk.workerHeard == [.close(1001, "kicked"), .end])
    }
  }

  @Test func `waits for the end of a frame towards the client, and skips what follows`() {
    for talk in talks(.relaxed, .worker(Array(hi.prefix(3)))) where talk.toClient.count == 3 {
      talk.happens(.edgeCloses(.serviceRestart, "edge_draining"))
      #expect(talk.clientHeard == [.unfinished])
      #expect(talk.workerHeard == [.close(1001, "edge_draining")])
      talk.happens(.worker(Array(hi.suffix(1)) + hi + plain(9)))
      #expect(talk.clientHeard == [.text("hi"), .close(1012, "edge_draining")])
      #expect(talk.messagesFromWorker.count == 1)
    }
  }

  @Test func `waits for the end of a frame towards the worker, and skips what follows`() {
    for talk in talks(
      .relaxed, .client(Array(hello.prefix(7))), .edgeCloses(.forbidden, "kicked"), .client(Array(hello.suffix(4)) + hello))
    {
      #expect(talk.workerHeard == [.text("hello"), .close(1001, "kicked")])
      #expect(talk.clientHeard == [.close(4403, "kicked")])
    }
  }

  @Test func `may come between the fragments of a message`() {
    for talk in talks(
      .relaxed, .worker(plain(1, [0x61], fin: false)), .edgeCloses(.forbidden, "kicked"), .worker(plain(0, [0x62])))
    {
      #expect(talk.clientHeard == [.fragment(opcode: 1, [0x61], isLast: false), .close(4403, "kicked")])
      #expect(talk.messagesFromWorker == [])
    }
  }

  @Test func `comes before a frame of which only a part of the header is there`() {
    let talk = Talk(after: [.worker([0x81]), .edgeCloses(.forbidden, "kicked"), .worker(Array(hi.dropFirst()))])
    #expect(talk.clientHeard == [.close(4403, "kicked")])
  }

  @Test func `cuts a frame that does not go on until the deadline`() {
    let talk = Talk(after: [.worker(Array(hi.prefix(3))), .edgeCloses(.forbidden, "kicked"), .client(masked(8))])
    #expect(!talk.isClientFinished)
    talk.happens(.wait(.seconds(5)))
    #expect(talk.clientHeard == [.unfinished, .end])
  }

  @Test func `cuts a frame whose sender is lost`() {
    let fromWorker = Talk(after: [.worker(Array(hi.prefix(3))), .edgeCloses(.forbidden, "kicked"), .workerEnds])
    #expect(fromWorker.clientHeard == [.unfinished, .end])
    let fromClient = Talk(after: [.client(Array(hello.prefix(8))), .edgeCloses(.forbidden, "kicked"), .clientEnds])
    #expect(fromClient.workerHeard == [.unfinished, .end])
  }

  @Test func `changes nothing once an end has begun`() {
    for talk in talks(.relaxed, .client(masked(8, closing(1000))), .edgeCloses(.serviceRestart, "edge_draining")) {
      #expect(talk.toClient == [])
      talk.happens(.worker(plain(8, closing(1000))))
      #expect(talk.clientHeard == [.close(1000, ""), .end])
      #expect(talk.workerHeard == [.close(1000, ""), .end])
    }
    let twice = Talk(after: [.edgeCloses(.forbidden, "kicked"), .edgeCloses(.serviceRestart, "edge_draining")])
    #expect(twice.clientHeard == [.close(4403, "kicked")])
  }
}
