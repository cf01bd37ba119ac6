import EdgeWebSocket
import Testing

@Suite struct `A frame reader` {
  @Test func `is small`() {
    #expect(MemoryLayout<FrameReader>.size <= 64)
  }

  @Test func `keeps at most a control frame without its last byte`() throws {
    let ping = frame(9, [UInt8](repeating: 1, count: 125))
    var reader = FrameReader(sender: .client, maxMessageBytes: 10, checksUTF8: true)
    let step = try reader.next(Array(ping.dropLast()).span, at: 0)
    #expect(step == .needMore)
    #expect(ping.count - 1 == FrameReader.maxKeptBytes)
  }

  @Test func `tells where a frame of the edge's own may be put in`() throws {
    let input = frame(1, [0x61, 0x62], fin: false) + frame(0, [0x63])
    var reader = FrameReader(sender: .client, maxMessageBytes: 10, checksUTF8: true)
    var places: [[Int]] = []
    var offset = 0
    while offset < input.count {
      switch try reader.next(input.span, at: offset) {
      case .data(_, startsMessage: _, let end), .payload(let end, endsFrame: _, endsMessage: _): offset = end
      case .needMore, .ping, .pong, .close, .afterClose: Issue.record("unexpected step")
      }
      places.append([reader.atFrameBoundary ? 1 : 0, reader.isInsideMessage ? 1 : 0, reader.bytesLeftInFrame])
    }
    #expect(places == [[0, 1, 2], [1, 1, 0], [0, 1, 1], [1, 0, 0]])
  }

  @Test func `counts what is left of a frame that comes in parts`() throws {
    let input = frame(2, [1, 2, 3, 4, 5])
    var reader = FrameReader(sender: .client, maxMessageBytes: 10, checksUTF8: true)
    _ = try reader.next(input.span, at: 0)
    let kind = reader.currentMessageKind
    #expect(kind == .binary)
    let step = try reader.next(Array(input[..<8]).span, at: 6)
    #expect(step == .payload(end: 8, endsFrame: false, endsMessage: false))
    let left = reader.bytesLeftInFrame
    #expect(left == 3)
  }

  @Test func `looks at no payload when it reports a header`() throws {
    let input = frame(1, [0xFF])
    var reader = FrameReader(sender: .client, maxMessageBytes: 10, checksUTF8: true)
    guard case .data(_, startsMessage: true, let end) = try reader.next(input.span, at: 0) else {
      Issue.record("no header")
      return
    }
    #expect(throws: FrameError.invalidUTF8) { try reader.next(input.span, at: end) }
  }

  @Test func `throws the same error again`() {
    var reader = FrameReader(sender: .client, maxMessageBytes: 10, checksUTF8: true)
    #expect(throws: FrameError.reservedBits) { try reader.next([UInt8](repeating: 0xFF, count: 2).span, at: 0) }
    #expect(throws: FrameError.reservedBits) { try reader.next(frame(1).span, at: 0) }
  }

  @Test func `that failed still tells whether its steps end at a boundary`() {
    var atHeader = FrameReader(sender: .client, maxMessageBytes: 10, checksUTF8: true)
    #expect(throws: FrameError.messageTooBig) { try atHeader.next(frame(1, announcing: 11).span, at: 0) }
    #expect(atHeader.atFrameBoundary == true)
    var inPayload = FrameReader(sender: .client, maxMessageBytes: 10, checksUTF8: true)
    let input = frame(1, [0xFF])
    #expect(throws: Never.self) { try inPayload.next(input.span, at: 0) }
    #expect(throws: FrameError.invalidUTF8) { try inPayload.next(input.span, at: 6) }
    #expect(inPayload.atFrameBoundary == false)
  }

  @Test func `ignores everything after Close`() throws {
    let input = frame(8) + frame(1)
    var reader = FrameReader(sender: .client, maxMessageBytes: 10, checksUTF8: true)
    guard case .close(nil, reason: _, let end) = try reader.next(input.span, at: 0) else {
      Issue.record("no Close")
      return
    }
    let steps = [try reader.next(input.span, at: end), try reader.next(input.span, at: input.count)]
    #expect(steps == [.afterClose, .afterClose])
    let hasReadClose = reader.hasReadClose
    #expect(hasReadClose)
  }

  @Test func `takes a lowered limit in the middle of a message`() throws {
    let input = frame(2, [1, 2, 3], fin: false)
    var reader = FrameReader(sender: .client, maxMessageBytes: 10, checksUTF8: true)
    _ = try reader.next(input.span, at: 0)
    _ = try reader.next(input.span, at: 6)
    reader.maxMessageBytes = 2
    #expect(throws: FrameError.messageTooBig) { try reader.next(frame(0, []).span, at: 0) }
  }

  @Test func `takes a changed check from the next message on`() throws {
    let input = frame(1, [0x61], fin: false) + frame(0, [0xFF]) + frame(1, [0xFF])
    var reader = FrameReader(sender: .client, maxMessageBytes: 10, checksUTF8: false)
    var offset = 0
    var messages = 0
    while messages < 1 {
      switch try reader.next(input.span, at: offset) {
      case .data(_, startsMessage: _, let end): offset = end
      case .payload(let end, endsFrame: _, let endsMessage):
        offset = end
        messages += endsMessage ? 1 : 0
      case .needMore, .ping, .pong, .close, .afterClose: Issue.record("unexpected step")
      }
      reader.checksUTF8 = true
    }
    _ = try reader.next(input.span, at: offset)
    #expect(throws: FrameError.invalidUTF8) { try reader.next(input.span, at: offset + 6) }
  }
}
