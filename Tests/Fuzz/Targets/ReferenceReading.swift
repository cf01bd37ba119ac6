import EdgeWebSocket

/// A whole stream of frames read as RFC 6455 tells it, with no thought for speed, memory or bytes that come later: what the
/// readers of the edge are compared with.
struct ReferenceReading {
  private(set) var events: [WebSocketEvent] = []
  /// The code to close with, where a rule was broken.
  private(set) var failure: UInt16?

  private let isMasked: Bool
  private let maxMessageBytes: Int
  private var rest: ArraySlice<UInt8>
  private var message: (kind: MessageKind, announced: Int, payload: [UInt8])?

  init(from sender: FrameSender, maxMessageBytes: Int, of bytes: [UInt8]) {
    isMasked = sender == .client
    self.maxMessageBytes = maxMessageBytes
    rest = bytes[...]
    while failure == nil, readFrame() {}
  }

  /// - Returns: whether another may follow.
  private mutating func readFrame() -> Bool {
    guard rest.count >= 2, let first = rest.first else { return false }
    let second = rest[rest.startIndex + 1]
    let (isFinal, opcode) = (first & 0x80 != 0, first & 0x0F)
    var length = UInt64(second & 0x7F)
    // Section 5.2: no extension gave the reserved bits a meaning, and these opcodes have none.
    guard first & 0x70 == 0, !(3...7).contains(opcode), opcode <= 10 else { return fails(1002) }
    // Section 5.5: control frames are short and whole.
    guard opcode < 8 || isFinal && length <= 125 else { return fails(1002) }
    // Section 5.1: clients mask, servers do not.
    guard (second & 0x80 != 0) == isMasked else { return fails(1002) }

    let lengthBytes = length == 126 ? 2 : length == 127 ? 8 : 0
    let head = 2 + lengthBytes + (isMasked ? 4 : 0)
    guard rest.count >= head else { return false }
    let fields = rest.dropFirst(2).prefix(head - 2)
    if lengthBytes > 0 {
      length = fields.prefix(lengthBytes).reduce(0) { $0 << 8 | UInt64($1) }
      // Section 5.2: the minimal number of bytes, and the top bit is 0.
      guard length >= (lengthBytes == 2 ? 126 : 1 << 16), length >> 63 == 0 else { return fails(1002) }
    }
    let key = Array(fields.dropFirst(lengthBytes))
    let received = rest.dropFirst(head).prefix(Int(length))
    let payload = received.enumerated().map { key.isEmpty ? $1 : $1 ^ key[$0 % 4] }
    let isWhole = payload.count == length
    rest = rest[received.endIndex...]
    return opcode < 8
      ? takeData(opcode, payload, announced: Int(length), isWhole: isWhole, isFinal: isFinal)
      : isWhole && takeControl(opcode, payload)
  }

  private mutating func takeData(_ opcode: UInt8, _ payload: [UInt8], announced: Int, isWhole: Bool, isFinal: Bool) -> Bool {
    // Section 5.4: fragments of one message only.
    guard (opcode == 0) == (message != nil) else { return fails(1002) }
    var (kind, total, text) = message ?? (opcode == 1 ? .text : .binary, 0, [])
    guard announced <= maxMessageBytes - total else { return fails(1009) }
    total += announced
    text += payload
    let ends = isWhole && isFinal
    if kind == .text, !(ends ? isUTF8(text) : mayBecomeUTF8(text)) { return fails(1007) }
    message = ends ? nil : (kind, total, text)
    if ends { events.append(.message(kind, text)) }
    return isWhole
  }

  private mutating func takeControl(_ opcode: UInt8, _ payload: [UInt8]) -> Bool {
    switch opcode {
    case 9: events.append(.ping(ControlPayload(payload.span)))
    case 10: events.append(.pong(ControlPayload(payload.span)))
    default: return takeClose(payload)
    }
    return true
  }

  /// Section 5.5.1: nothing, or a code and a reason; section 7.4: which codes. Nothing follows it.
  private mutating func takeClose(_ payload: [UInt8]) -> Bool {
    guard payload.count != 1 else { return fails(1002) }
    guard payload.count >= 2 else {
      events.append(.close(nil, reason: ""))
      return false
    }
    let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
    let isKnown = (1000...1014).contains(code) && ![1004, 1005, 1006].contains(code)
    guard isKnown || (3000...4999).contains(code) else { return fails(1002) }
    guard let reason = String(validating: payload.dropFirst(2), as: UTF8.self) else { return fails(1007) }
    events.append(.close(CloseCode(rawValue: code), reason: reason))
    return false
  }

  private mutating func fails(_ code: UInt16) -> Bool {
    failure = code
    return false
  }
}

private func isUTF8(_ text: [UInt8]) -> Bool {
  String(validating: text, as: UTF8.self) != nil
}

/// Whether some bytes after `text` make it valid: at most one character is unfinished, and one of these finishes it.
private func mayBecomeUTF8(_ text: [UInt8]) -> Bool {
  let endings: [[UInt8]] = [[], [0x80], [0x80, 0x80], [0xA0, 0x80], [0x80, 0x80, 0x80], [0x90, 0x80, 0x80]]
  return endings.contains { isUTF8(text + $0) }
}
