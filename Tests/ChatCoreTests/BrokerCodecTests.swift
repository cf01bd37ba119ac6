import ChatCore
import EdgeCore
import Testing

@Suite struct `Frames of the embedded broker` {
  @Test func `every command is read as it was written`() throws {
    for command in try commands() {
      #expect(try BrokerCodec.command(from: payload(BrokerCodec.encoded(command))) == command)
    }
  }

  @Test func `every event is read as it was written`() throws {
    for event in try events() {
      #expect(try BrokerCodec.event(from: payload(BrokerCodec.encoded(event))) == event)
    }
  }

  @Test func `frames are the same however the bytes arrive`() throws {
    let stream = try commands().flatMap { BrokerCodec.encoded($0) }
    for size in 1...stream.count {
      var reader = BrokerFrameReader()
      var read: [BrokerCommand] = []
      for start in stride(from: 0, to: stream.count, by: size) {
        reader.receive(stream.span.extracting(start..<min(start + size, stream.count)))
        while let frame = try reader.next() { read.append(try BrokerCodec.command(from: frame)) }
      }
      #expect(try read == commands())
    }
  }

  @Test func `a frame that announces too much is refused before it is collected`() {
    var reader = BrokerFrameReader()
    let bytes: [UInt8] = [0xff, 0, 0, 0]
    reader.receive(bytes.span)
    #expect(throws: BrokerCodecError.frameTooLong(bytes: 0xff00_0000)) { try reader.next() }
  }

  @Test(arguments: [
    "", "{}", "[]", #"{"is":"hello","node":0}"#, #"{"is":"dance"}"#, #"{"is":"enter","token":1,"room":"a b","user":"x"}"#,
  ])
  func `what no process says is refused`(text: String) {
    #expect(throws: BrokerCodecError.self) { try BrokerCodec.command(from: Array(text.utf8)) }
    #expect(throws: BrokerCodecError.self) { try BrokerCodec.event(from: Array(text.utf8)) }
  }

  @Test(arguments: [
    #"{"epoch":"e","last":-1,"messages":[],"earlier":[]}"#,
    #"{"epoch":"e","last":9223372036854775807,"messages":[],"earlier":[]}"#,
    #"{"epoch":"e","last":0,"messages":[{}],"earlier":[]}"#, #"{"epoch":"e","last":1,"messages":[{}],"earlier":[]}"#,
    #"{"epoch":"e","last":1,"messages":[],"earlier":[{"epoch":"d","last":2}]}"#, #"{"epoch":"e","last":1,"messages":[]}"#,
  ])
  func `a described log that does not fit together is refused`(log: String) {
    let frame = #"{"is":"described","room":"r","users":[],"log":\#(log)}"#
    #expect(throws: BrokerCodecError.unknownMessage) { try BrokerCodec.event(from: Array(frame.utf8)) }
  }

  private func payload(_ frame: [UInt8]) -> [UInt8] { Array(frame.dropFirst(4)) }

  private func commands() throws -> [BrokerCommand] {
    let (room, user, node) = try names()
    let id = try #require(MessageID("m1"))
    let text = try #require(MessageText("two\nlines \" \\ ✓"))
    return [
      .hello(node: node), .publish(token: 1, room: room, sender: user, id: id, text: text, timestamp: nil),
      .publish(token: 0, room: room, sender: user, id: id, text: text, timestamp: 17), .enter(token: 2, room: room, user: user),
      .exit(room: room, user: user), .typing(room: room, user: user, isTyping: true),
    ]
  }

  private func events() throws -> [BrokerEvent] {
    let (room, user, node) = try names()
    let message = ChatMessage(
      sequence: 3, sender: user, id: try #require(MessageID("m1")), text: try #require(MessageText("hi")), timestamp: 9)
    var log = RoomLog(epoch: "new", earlierLives: [.init(epoch: "old", lastSequence: 2)], lastSequence: 2)
    #expect(log.append(message, limits: ChatLimits()) == true)
    return [
      .changed(.opened(room: room, epoch: "e")), .changed(.closed(room: room)), .changed(.message(room: room, message: message)),
      .changed(.presence(room: room, user: user, node: node, isHere: true)), .typing(room: room, user: user, isTyping: false),
      .reply(token: 1, .accepted(sequence: 3, timestamp: 9, isDuplicate: true)), .reply(token: 2, .entered),
      .reply(token: 3, .roomsFull), .described(room: room, Room(log: log, users: [user: [node]])), .ready, .farewell,
    ]
  }

  private func names() throws -> (RoomName, UserName, NodeID) {
    (try #require(RoomName("lobby")), try #require(UserName("Jörg ✓")), NodeID(random: 12_345))
  }
}
