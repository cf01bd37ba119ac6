import EdgeWebSocket
import Testing

private let key = MaskKey(0x37, 0xFA, 0x21, 0x3D)

@Suite struct `A frame writer` {
  @Test func `writes the examples of RFC 6455 §5_7`() {
    var bytes: [UInt8] = []
    FrameWriter.appendText("Hello", into: &bytes)
    #expect(bytes == [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f])
    bytes = []
    FrameWriter.appendText("Hello", maskKey: key, into: &bytes)
    #expect(bytes == [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58])
    bytes = []
    FrameWriter.appendPing(ControlPayload(utf8("Hello").span), into: &bytes)
    #expect(bytes == [0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f])
    bytes = []
    FrameWriter.appendPong(ControlPayload(utf8("Hello").span), maskKey: key, into: &bytes)
    #expect(bytes == [0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58])
  }

  @Test(arguments: [0, 1, 125, 126, 127, 65_535, 65_536, 70_001], [nil, key])
  func `uses the shortest form of every length`(_ count: Int, _ maskKey: MaskKey?) {
    let payload = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
    var bytes: [UInt8] = [0xEE]
    FrameWriter.appendMessage(.binary, payload.span, maskKey: maskKey, into: &bytes)
    let maskBytes = maskKey.map { key in (0..<4).map(key.byte(at:)) }
    #expect(bytes == [0xEE] + frame(2, payload, key: maskBytes))
    let header = FrameHeader(isFinal: true, opcode: .binary, maskKey: maskKey, payloadLength: count)
    #expect(header.headerLength == bytes.count - 1 - count)
  }

  @Test func `writes a Close with code and reason`() {
    var bytes: [UInt8] = []
    FrameWriter.appendClose(.tooManyRequests, reason: "rate_limited;retry_after=5", into: &bytes)
    #expect(read([bytes[...]], Rules(sender: .worker)) == [.close(.tooManyRequests, "rate_limited;retry_after=5")])
  }

  @Test(arguments: [nil, .noStatus, .abnormal, .tlsHandshake, CloseCode(rawValue: 0)] as [CloseCode?])
  func `writes an empty Close for a code that no frame may carry`(_ code: CloseCode?) {
    var bytes: [UInt8] = []
    FrameWriter.appendClose(code, reason: "left out", into: &bytes)
    #expect(bytes == [0x88, 0x00])
  }

  @Test(arguments: ["x", "é", "€", "😀"])
  func `cuts a long reason between characters`(_ character: String) {
    for shift in 0..<4 {
      let reason = String(repeating: "a", count: shift) + String(repeating: character, count: 130)
      var bytes: [UInt8] = []
      FrameWriter.appendClose(.goingAway, reason: reason, maskKey: key, into: &bytes)
      guard case .close(.goingAway, let cut) = read([bytes[...]]).last else {
        Issue.record("no Close")
        continue
      }
      #expect(reason.hasPrefix(cut))
      #expect(cut.utf8.count <= FrameWriter.maxCloseReasonBytes)
      #expect(cut.utf8.count + character.utf8.count > FrameWriter.maxCloseReasonBytes)
    }
  }

  @Test func `keeps a reason that just fits`() {
    let reason = String(repeating: "é", count: 61) + "x"
    var bytes: [UInt8] = []
    FrameWriter.appendClose(.goingAway, reason: reason, maskKey: key, into: &bytes)
    #expect(read([bytes[...]]) == [.close(.goingAway, reason)])
  }
}

@Suite struct `A control payload` {
  @Test func `of a nonce equals its own pong and no other`() {
    var bytes: [UInt8] = []
    let nonce = ControlPayload(nonce: 0x0123_4567_89AB_CDEF)
    FrameWriter.appendPong(nonce, maskKey: key, into: &bytes)
    let pong = [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF] as [UInt8]
    #expect(read([bytes[...]]) == [.pong(pong)])
    #expect(ControlPayload(pong.span) == nonce)
    #expect(ControlPayload(pong.reversed().span) != nonce)
    #expect(ControlPayload() != nonce)
  }

  @Test func `holds 125 bytes and cuts off the rest`() {
    let payload = ControlPayload([UInt8](repeating: 5, count: 200).span)
    #expect(payload.count == 125)
    #expect(payload.withBytes(Array.init(copying:)) == [UInt8](repeating: 5, count: 125))
  }
}
