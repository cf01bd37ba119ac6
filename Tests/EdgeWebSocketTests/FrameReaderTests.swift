import EdgeWebSocket
import Testing

/// Reads `input` in every split and expects the same of each.
private func expect(
  _ input: [UInt8], _ rules: Rules = Rules(), reads expected: [Seen], sourceLocation: SourceLocation = #_sourceLocation
) {
  for pieces in everySplit(of: input) {
    #expect(read(pieces, rules) == expected, "pieces of \(pieces.map(\.count))", sourceLocation: sourceLocation)
  }
}

private func header(_ opcode: Opcode, _ length: Int, fin: Bool = true, key: MaskKey? = MaskKey(1, 2, 3, 4)) -> FrameHeader {
  FrameHeader(isFinal: fin, opcode: opcode, maskKey: key, payloadLength: length)
}

private let hello = utf8("Hello")
private let worker = Rules(sender: .worker)

@Suite struct `The examples of RFC 6455 §5.7` {
  @Test func `an unmasked text message`() {
    expect(
      [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], worker,
      reads: [.data(header(.text, 5, key: nil), startsMessage: true), .payload(hello, endsMessage: true)])
  }

  @Test func `a masked text message`() {
    expect(
      [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58],
      reads: [
        .data(header(.text, 5, key: MaskKey(0x37, 0xfa, 0x21, 0x3d)), startsMessage: true),
        .payload(hello, endsMessage: true),
      ])
  }

  @Test func `a fragmented unmasked text message`() {
    expect(
      [0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f], worker,
      reads: [
        .data(header(.text, 3, fin: false, key: nil), startsMessage: true), .payload(utf8("Hel"), endsMessage: false),
        .data(header(.continuation, 2, key: nil), startsMessage: false), .payload(utf8("lo"), endsMessage: true),
      ])
  }

  @Test func `an unmasked ping and its masked pong`() {
    expect([0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], worker, reads: [.ping(hello)])
    expect([0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58], reads: [.pong(hello)])
  }

  @Test func `256 bytes and 64 KiB of binary`() {
    let medium = [UInt8](repeating: 7, count: 256)
    expect(
      [0x82, 0x7E, 0x01, 0x00] + medium, worker,
      reads: [.data(header(.binary, 256, key: nil), startsMessage: true), .payload(medium, endsMessage: true)])
    let large = [UInt8](repeating: 7, count: 65_536)
    let input: [UInt8] = [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0] + large
    #expect(
      read([input[...]], worker)
        == [.data(header(.binary, 65_536, key: nil), startsMessage: true), .payload(large, endsMessage: true)])
  }
}

@Suite struct `Messages and fragments (RFC 6455 §5.4)` {
  @Test func `an empty frame has a payload step of its own`() {
    let step: [Seen] = [.data(header(.text, 0), startsMessage: true), .payload([], endsMessage: true)]
    expect(frame(1), reads: step)
    expect(frame(1) + frame(1), reads: step + step)
  }

  @Test func `control frames may stand between fragments`() {
    expect(
      frame(2, [1], fin: false) + frame(9, [9]) + frame(0, [], fin: false) + frame(10) + frame(0, [2]),
      reads: [
        .data(header(.binary, 1, fin: false), startsMessage: true), .payload([1], endsMessage: false),
        .ping([9]),
        .data(header(.continuation, 0, fin: false), startsMessage: false), .payload([], endsMessage: false),
        .pong([]),
        .data(header(.continuation, 1), startsMessage: false), .payload([2], endsMessage: true),
      ])
  }

  @Test func `a Close may stand between fragments`() {
    expect(
      frame(1, [0x61], fin: false) + frame(8),
      reads: [
        .data(header(.text, 1, fin: false), startsMessage: true), .payload([0x61], endsMessage: false), .close(nil, ""),
      ])
  }

  @Test func `control frames carry up to 125 bytes`() {
    let payload = [UInt8](repeating: 0xAB, count: 125)
    expect(frame(9, payload), reads: [.ping(payload)])
    expect(frame(10, payload, key: nil), worker, reads: [.pong(payload)])
  }

  @Test(arguments: [125, 126, 127, 65_535, 65_536])
  func `lengths around their borders`(_ count: Int) {
    let payload = [UInt8](repeating: 0x20, count: count)
    let input = frame(1, payload)
    for cut in 0...16 {
      #expect(
        read([input[..<cut], input[cut...]])
          == [.data(header(.text, count), startsMessage: true), .payload(payload, endsMessage: true)])
    }
  }
}

@Suite struct `Close frames (RFC 6455 §5.5.1)` {
  @Test func `code and reason`() {
    expect(frame(8, [0x03, 0xE8]), reads: [.close(.normal, "")])
    expect(frame(8, [0x0F, 0xA0] + utf8("tschüß")), reads: [.close(CloseCode(rawValue: 4000), "tschüß")])
    let longest = String(repeating: "r", count: 123)
    expect(frame(8, [0x03, 0xE9] + utf8(longest), key: nil), worker, reads: [.close(.goingAway, longest)])
  }

  @Test func `what follows a Close is ignored`() {
    expect(frame(8) + frame(1, [0xFF]) + [0xFF, 0xFF, 0xFF], reads: [.close(nil, "")])
  }
}
