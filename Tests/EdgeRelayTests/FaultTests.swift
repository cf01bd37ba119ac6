import EdgeCore
import EdgeRelay
import EdgeWebSocket
import Testing

private let hello = masked(1, utf8("hello"))
private let hi = plain(1, utf8("hi"))
private let goodbye = plain(8, closing(1001))

@Suite struct `A worker that is lost` {
  @Test func `is Close 1014 to the client`() {
    for talk in talks(.relaxed, .worker(hi), .workerEnds) {
      #expect(talk.clientHeard == [.text("hi"), .close(1014, "worker_lost")])
      #expect(talk.isWorkerFinished)
      #expect(talk.ending == RelayEnding(initiator: .worker, code: .badGateway, reason: "worker_lost"))
      talk.happens(.client(hello + masked(8, closing(1014))))
      #expect(talk.isClientFinished && talk.toWorker == [])
    }
  }

  @Test func `is the route's own code where it has one`() {
    var limits = RelayLimits.relaxed
    limits.closeCodes.workerLost = .internalError
    #expect(Talk(limits, after: [.workerEnds]).clientHeard == [.close(1011, "worker_lost")])
    #expect(Talk(limits, after: [.worker(plain(3))]).clientHeard == [.close(1011, "worker_protocol_error")])
  }

  @Test func `in the middle of a frame ends the client's connection`() {
    let talk = Talk(after: [.worker(Array(hi.prefix(3))), .workerEnds])
    #expect(talk.clientHeard == [.unfinished, .end])
  }

  @Test func `in the middle of a header is Close 1014: the client has nothing of that frame`() {
    let talk = Talk(after: [.worker(Array(plain(2, [UInt8](repeating: 1, count: 200)).prefix(3))), .workerEnds])
    #expect(talk.clientHeard == [.close(1014, "worker_lost")])
  }

  @Test func `between fragments is Close 1014`() {
    for talk in talks(.relaxed, .worker(plain(1, [0x61], fin: false)), .workerEnds) {
      #expect(talk.clientHeard.last == .close(1014, "worker_lost"))
    }
  }

  @Test func `after its Close changes nothing for the client`() {
    for talk in talks(.relaxed, .worker(plain(8, closing(1000))), .workerEnds) {
      #expect(talk.clientHeard == [.close(1000, "")])
      #expect(talk.isWorkerFinished)
      talk.happens(.client(masked(8)))
      #expect(talk.isClientFinished)
    }
  }

  @Test func `gives a client that has said Close that Close back`() {
    for talk in talks(.relaxed, .client(masked(8, closing(4001, "bye"))), .workerEnds) {
      #expect(talk.clientHeard == [.close(4001, "bye"), .end])
      #expect(talk.ending == RelayEnding(initiator: .client, code: CloseCode(rawValue: 4001), reason: "bye"))
    }
    #expect(Talk(after: [.client(masked(8)), .workerEnds]).clientHeard == [.close(nil, ""), .end])
  }

  @Test func `does not take an answer of the edge's back`() {
    for talk in talks(.relaxed, .edgeCloses(.forbidden, "kicked"), .workerEnds) {
      #expect(talk.clientHeard == [.close(4403, "kicked")])
    }
  }

  @Test func `leaves a client that does not answer the deadline`() {
    let talk = Talk(after: [.workerEnds, .wait(.milliseconds(4999))])
    #expect(!talk.isClientFinished)
    talk.happens(.wait(.milliseconds(1)))
    #expect(talk.isClientFinished)
  }
}

@Suite struct `A worker that breaks the protocol` {
  @Test(arguments: [
    (plain(3), FrameError.unknownOpcode), (masked(1, [0x61]), .maskUnexpected), (plain(0, [1]), .continuationWithoutStart),
    (plain(8, [1]), .closePayloadTooShort), (plain(8, closing(1005)), .closeCodeInvalid),
    (plain(9, [], fin: false), .controlFragmented),
    ([0xC1, 0x00], .reservedBits), ([0x82, 127, 0, 0, 0, 0, 0x7F, 0, 0, 0], .messageTooBig),
  ])
  func `is 1014 to the client, and to the worker the code of its breach`(_ bytes: [UInt8], _ error: FrameError) {
    for talk in talks(.relaxed, .client(hello), .worker(hi + bytes + hi)) {
      #expect(talk.clientHeard == [.text("hi"), .close(1014, "worker_protocol_error")])
      #expect(talk.workerHeard == [.text("hello"), .close(error.closeCode.rawValue, error.rawValue), .end])
      #expect(talk.errors == [error])
      #expect(talk.ending == RelayEnding(initiator: .worker, code: .badGateway, reason: error.rawValue))
    }
  }

  @Test func `with text that is not UTF-8, all at once, is 1014 as well`() {
    let talk = Talk(after: [.worker(plain(1, [0x61, 0xFF]))])
    #expect(talk.clientHeard == [.close(1014, "worker_protocol_error")])
    #expect(talk.workerHeard == [.close(1007, "invalid_utf8"), .end])
  }

  @Test func `in the middle of a frame that the client has seen ends the client's connection`() {
    let talk = Talk(after: [.worker([0x81, 3, 0x61]), .worker([0xFF])])
    #expect(talk.clientHeard == [.unfinished, .end])
    #expect(talk.workerHeard == [.close(1007, "invalid_utf8"), .end])
  }
}

@Suite struct `A client that breaks the protocol` {
  @Test(arguments: [
    (masked(4), FrameError.unknownOpcode), (plain(1, [0x61]), .maskMissing), (masked(0), .continuationWithoutStart),
    (masked(8, [3]), .closePayloadTooShort), (masked(8, closing(1006)), .closeCodeInvalid),
    (masked(8, closing(1000) + [0xFF]), .closeReasonInvalid),
    (masked(2, [1], fin: false) + masked(1), .messageInterrupted), ([0x82, 0xFE, 0, 9, 1, 2, 3, 4], .lengthNotMinimal),
    ([0x82, 0xFF, 0, 0, 0, 0, 0, 0x10, 0, 1, 1, 2, 3, 4], .messageTooBig),
  ])
  func `gets the error's code, and its worker 1001 with the error's word`(_ bytes: [UInt8], _ error: FrameError) {
    for talk in talks(.relaxed, .client(hello + bytes + hello), .worker(hi + goodbye)) {
      #expect(talk.clientHeard == [.text("hi"), .close(error.closeCode.rawValue, error.rawValue), .end])
      #expect(talk.workerHeard.first == .text("hello"))
      #expect(talk.workerHeard.suffix(2) == [.close(1001, error.rawValue), .end])
      #expect(talk.errors == [error])
      #expect(talk.ending == RelayEnding(initiator: .client, code: error.closeCode, reason: error.rawValue))
    }
  }

  @Test func `hears the worker's last words before its Close`() {
    for talk in talks(.relaxed, .client(hello + masked(3)), .worker(hi + plain(9, [1]) + hi + goodbye + hi)) {
      #expect(talk.clientHeard == [.text("hi"), .ping([1]), .text("hi"), .close(1002, "unknown_opcode"), .end])
      #expect(talk.workerHeard == [.text("hello"), .close(1001, "unknown_opcode"), .end])
    }
  }

  @Test func `is told without an answer of the worker's after a fifth of the time for one`() {
    let talk = Talk(after: [.client(masked(3)), .worker(hi), .wait(.milliseconds(999))])
    #expect(talk.clientHeard == [.text("hi")])
    talk.happens(.wait(.milliseconds(1)))
    talk.happens(.worker(hi))
    #expect(talk.clientHeard == [.text("hi"), .close(1002, "unknown_opcode"), .end])
    #expect(talk.workerHeard == [.close(1001, "unknown_opcode")])
  }

  @Test func `is told then, but for a frame that the worker has begun`() {
    let talk = Talk(after: [.client(masked(3)), .worker(Array(hi.dropLast())), .wait(.seconds(1))])
    #expect(talk.clientHeard == [.unfinished])
    talk.happens(.worker(Array(hi.suffix(1)) + hi))
    #expect(talk.clientHeard == [.text("hi"), .close(1002, "unknown_opcode"), .end])
  }

  @Test(arguments: [Event.workerEnds, .worker(plain(3)), .worker(goodbye)])
  func `is told at once of its own breach, however the worker ends`(_ end: Event) {
    let talk = Talk(after: [.client(masked(3)), .worker(hi), end])
    #expect(talk.clientHeard == [.text("hi"), .close(1002, "unknown_opcode"), .end])
  }

  @Test func `is cut off where the worker ends within a frame`() {
    let talk = Talk(after: [.client(masked(3)), .worker(Array(hi.dropLast())), .workerEnds])
    #expect(talk.clientHeard == [.unfinished, .end])
  }

  @Test func `in the middle of a frame is a TCP end to the worker`() {
    let bad = masked(1, [0x61, 0x62, 0xFF])
    let talk = Talk(after: [.client(Array(bad.dropLast())), .client(Array(bad.suffix(1)))])
    #expect(talk.workerHeard == [.unfinished, .end])
    #expect(talk.clientHeard == [.close(1007, "invalid_utf8"), .end])
  }

  @Test func `gets the rest of the worker's frame before its Close, and the worker stays for it`() {
    let bad = masked(1, [0x61, 0x62, 0xFF])
    let talk = Talk(after: [.worker(Array(hi.prefix(3))), .client(Array(bad.dropLast())), .client(Array(bad.suffix(1)))])
    #expect(talk.clientHeard == [.unfinished])
    #expect(talk.workerHeard == [.unfinished])
    talk.happens(.worker(Array(hi.suffix(1)) + hi))
    #expect(talk.clientHeard == [.text("hi"), .close(1007, "invalid_utf8"), .end])
    #expect(talk.workerHeard == [.unfinished, .end])
  }

  @Test func `sends text unchecked where the route says so`() {
    var limits = RelayLimits.relaxed
    limits.checksUTF8 = false
    for talk in talks(limits, .client(masked(1, [0xFF]))) { #expect(talk.toWorker == masked(1, [0xFF])) }
  }

  @Test func `is judged by the announced length, before anything passes`() {
    var limits = RelayLimits.relaxed
    limits.maxMessageBytes = 8
    for talk in talks(
      limits, .client(masked(2, [UInt8](repeating: 0, count: 8)) + Array(masked(2, [UInt8](repeating: 0, count: 9)).prefix(6))))
    {
      #expect(talk.messagesFromClient.map(\.payloadBytes) == [8])
      talk.happens(.worker(goodbye))
      #expect(talk.clientHeard == [.close(1009, "message_too_big"), .end])
      #expect(talk.workerHeard.suffix(2) == [.close(1001, "message_too_big"), .end])
    }
  }
}
