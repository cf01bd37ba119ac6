import EdgeWebSocket
import Testing

/// A stream of frames and the events that it stands for.
private struct Conversation {
  var bytes: [UInt8] = []
  var events: [WebSocketEvent] = []

  /// Messages of mixed kind and size in random fragments, with control frames in between, then perhaps a Close.
  static func random(from sender: FrameSender, using random: inout SplitMix64) -> Conversation {
    var conversation = Conversation()
    for _ in 0..<Int.random(in: 1...8, using: &random) { conversation.addMessage(from: sender, using: &random) }
    if Bool.random(using: &random) {
      conversation.bytes += frame(8, [0x03, 0xE8] + utf8("done"), key: maskKey(of: sender, using: &random))
      conversation.bytes += random.bytes(5)
      conversation.events.append(.close(.normal, reason: "done"))
    }
    return conversation
  }

  private mutating func addMessage(from sender: FrameSender, using random: inout SplitMix64) {
    let kind = MessageKind.allCases.randomElement(using: &random) ?? .text
    let count = Int.random(in: 0..<50, using: &random) == 0 ? 70_000 : Int.random(in: 0...400, using: &random)
    let payload = kind == .binary ? random.bytes(count) : utf8(String(repeating: "aé😀", count: count / 7))
    var rest = payload[...]
    var opcode: UInt8 = kind == .text ? 1 : 2
    while Int.random(in: 0..<3, using: &random) > 0 {
      let part = rest.prefix(Int.random(in: 0...rest.count, using: &random))
      rest = rest.dropFirst(part.count)
      bytes += frame(opcode, Array(part), fin: false, key: Self.maskKey(of: sender, using: &random))
      opcode = 0
      if Bool.random(using: &random) { addControl(from: sender, using: &random) }
    }
    bytes += frame(opcode, Array(rest), key: Self.maskKey(of: sender, using: &random))
    events.append(.message(kind, payload))
  }

  private mutating func addControl(from sender: FrameSender, using random: inout SplitMix64) {
    let payload = random.bytes([0, 8, 125].randomElement(using: &random) ?? 0)
    let isPing = Bool.random(using: &random)
    bytes += frame(isPing ? 9 : 10, payload, key: Self.maskKey(of: sender, using: &random))
    events.append(isPing ? .ping(ControlPayload(payload.span)) : .pong(ControlPayload(payload.span)))
  }

  private static func maskKey(of sender: FrameSender, using random: inout SplitMix64) -> [UInt8]? {
    sender == .client ? random.bytes(4) : nil
  }
}

private func receive(_ pieces: [ArraySlice<UInt8>], from sender: FrameSender) throws(FrameError) -> [WebSocketEvent] {
  var reader = MessageReader(sender: sender, maxMessageBytes: 1 << 20)
  var events: [WebSocketEvent] = []
  for piece in pieces { try reader.receive(Array(piece).span) { events.append($0) } }
  return events
}

@Suite struct `A message reader` {
  @Test(arguments: FrameSender.allCases)
  func `gives out exactly the messages that went in`(_ sender: FrameSender) throws {
    var random = SplitMix64(state: 42)
    for _ in 0..<100 {
      let conversation = Conversation.random(from: sender, using: &random)
      let maxPieceBytes = [1, 3, 20, 200, 5000].randomElement(using: &random) ?? 1
      let pieces = randomSplit(of: conversation.bytes, maxPieceBytes: maxPieceBytes, using: &random)
      #expect(try receive(pieces, from: sender) == conversation.events)
    }
  }

  @Test func `gives the events before an error, then throws it`() {
    var reader = MessageReader(sender: .client, maxMessageBytes: 10)
    var events: [WebSocketEvent] = []
    let input = frame(1, [0x61]) + frame(2, announcing: 11)
    #expect(throws: FrameError.messageTooBig) { try reader.receive(input.span) { events.append($0) } }
    #expect(events == [.message(.text, [0x61])])
  }

  @Test func `reads a small message in every split`() throws {
    let input = frame(1, utf8("x€"), fin: false) + frame(9, [1]) + frame(0, utf8("y"))
    for pieces in everySplit(of: input) {
      #expect(try receive(pieces, from: .client) == [.ping(ControlPayload([1].span)), .message(.text, utf8("x€y"))])
    }
  }
}

@Suite struct `Hostile bytes` {
  @Test func `never trap, and read alike in any pieces`() {
    var random = SplitMix64(state: 99)
    for round in 0..<50_000 {
      let input = round.isMultiple(of: 2) ? random.bytes(Int.random(in: 0...40, using: &random)) : damaged(&random)
      let rules = Rules(
        sender: round % 3 == 0 ? .worker : .client, maxMessageBytes: 200, checksUTF8: !round.isMultiple(of: 5))
      let whole = read([input[...]], rules)
      let pieces = randomSplit(of: input, maxPieceBytes: 9, using: &random)
      if read(pieces, rules) != whole { Issue.record("\(input) in \(pieces.map(\.count))") }
    }
  }

  /// Valid frames with one byte changed.
  private func damaged(_ random: inout SplitMix64) -> [UInt8] {
    var input = frame(1, utf8("Grüße"), fin: Bool.random(using: &random)) + frame(9, random.bytes(3))
    input += frame(Bool.random(using: &random) ? 0 : 2, utf8("ende")) + frame(8, [0x03, 0xE8, 0x61])
    input[Int.random(in: input.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
    return input
  }
}
