import EdgeWebSocket
import Testing

/// Looks for a whole message behind `skipped` bytes, with a reader that has read `before`.
private func wholeMessage(
  in bytes: [UInt8], skipping skipped: Int = 0, after before: [UInt8] = [], _ rules: Rules = Rules()
) -> WholeMessage? {
  var reader = FrameReader(sender: rules.sender, maxMessageBytes: rules.maxMessageBytes, checksUTF8: rules.checksUTF8)
  var offset = 0
  reading: while offset < before.count {
    switch try? reader.next(before.span, at: offset) {
    case .data(_, startsMessage: _, let end), .payload(let end, endsFrame: _, endsMessage: _): offset = end
    case .ping(_, let end), .pong(_, let end), .close(_, reason: _, let end): offset = end
    case .needMore, .afterClose, nil: break reading
    }
  }
  return reader.wholeMessage(in: bytes.span, at: skipped)
}

private func found(_ kind: MessageKind, _ payloadBytes: Int, end: Int) -> (WholeMessage?) -> Bool {
  { $0?.kind == kind && $0?.payloadBytes == payloadBytes && $0?.end == end }
}

@Suite struct `A whole message in one look` {
  @Test(arguments: [0, 1, 8, 125, 126, 300, 65_535, 65_536])
  func `is found where a single frame holds it, and nothing behind it is looked at`(_ count: Int) {
    for (sender, key) in [(FrameSender.client, [9, 8, 7, 6]), (.worker, nil)] as [(FrameSender, [UInt8]?)] {
      let message = frame(1, [UInt8](repeating: 0x61, count: count), key: key)
      let look = wholeMessage(in: [0xFF, 0xFF] + message + [0xFF], skipping: 2, Rules(sender: sender))
      #expect(found(.text, count, end: 2 + message.count)(look))
    }
  }

  @Test func `is text in UTF-8, or binary`() {
    let text = frame(1, utf8("grüße, 日本 🙂"))
    #expect(found(.text, text.count - 6, end: text.count)(wholeMessage(in: text)))
    #expect(found(.binary, 2, end: 8)(wholeMessage(in: frame(2, [0xFF, 0xC0]))))
    #expect(wholeMessage(in: frame(1, [0x61, 0xC3])) == nil)
    #expect(found(.text, 2, end: 8)(wholeMessage(in: frame(1, [0x61, 0xC3]), Rules(checksUTF8: false))))
  }

  @Test func `is none while a byte is missing`() {
    let message = frame(1, utf8("hello"))
    for count in message.indices { #expect(wholeMessage(in: Array(message.prefix(count))) == nil) }
  }

  @Test(arguments: [
    frame(1, [0x61], fin: false), frame(0, [0x61]), frame(8), frame(9), frame(10), frame(3), frame(1, [0x61], key: nil),
    frame(1, [0x61], reserved: 4), frame(1, [0x61], lengthWidth: 2), frame(2, [], announcing: 1 << 63),
    frame(2, [], announcing: .max >> 1),
  ])
  func `is none where anything else lies, or a rule is broken`(_ bytes: [UInt8]) {
    #expect(wholeMessage(in: bytes) == nil)
  }

  @Test func `is at most as long as messages may be`() {
    #expect(wholeMessage(in: frame(2, [1, 2, 3]), Rules(maxMessageBytes: 3)) != nil)
    #expect(wholeMessage(in: frame(2, [1, 2, 3]), Rules(maxMessageBytes: 2)) == nil)
  }

  @Test(arguments: [frame(1, [0x61], fin: false), Array(frame(1, [0x61, 0x61]).dropLast()), frame(8), frame(3)])
  func `is looked for between two messages only`(_ before: [UInt8]) {
    #expect(wholeMessage(in: frame(1, [0x61]), after: before) == nil)
    #expect(wholeMessage(in: frame(1, [0x61]), after: frame(1, [0x61]) + frame(9)) != nil)
  }
}
