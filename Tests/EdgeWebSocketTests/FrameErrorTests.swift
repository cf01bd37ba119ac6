import EdgeWebSocket
import Testing

/// Input that breaks one rule, and that rule.
struct Violation: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let input: [UInt8]
  let error: FrameError
  var sender = FrameSender.client
  var maxMessageBytes = 1000

  init(_ name: String, _ input: [UInt8], _ error: FrameError, from sender: FrameSender = .client) {
    testDescription = name
    self.input = input
    self.error = error
    self.sender = sender
  }
}

private let snowman: [UInt8] = [0xE2, 0x98, 0x83]

private let headerViolations = [
  Violation("RSV1", frame(1, reserved: 4), .reservedBits),
  Violation("RSV2", frame(1, reserved: 2), .reservedBits),
  Violation("RSV3 on a ping", frame(9, reserved: 1), .reservedBits),
  Violation("unmasked from a client", frame(1, key: nil), .maskMissing),
  Violation("unmasked ping from a client", frame(9, key: nil), .maskMissing),
  Violation("masked from a worker", frame(1), .maskUnexpected, from: .worker),
  Violation("masked with the zero key from a worker", frame(2, key: [0, 0, 0, 0]), .maskUnexpected, from: .worker),
  Violation("125 in two bytes", frame(2, lengthWidth: 2, announcing: 125), .lengthNotMinimal),
  Violation("0 in two bytes", frame(2, lengthWidth: 2, announcing: 0), .lengthNotMinimal),
  Violation("65,535 in eight bytes", frame(2, lengthWidth: 8, announcing: 65_535), .lengthNotMinimal),
  Violation("0 in eight bytes", frame(2, lengthWidth: 8, announcing: 0), .lengthNotMinimal),
  Violation("2^63", frame(2, announcing: 1 << 63), .lengthOutOfRange),
  Violation("2^64 - 1", frame(2, announcing: .max), .lengthOutOfRange),
  Violation("2^63 - 1", frame(2, announcing: 1 << 63 - 1), .messageTooBig),
]

private let controlViolations = [
  Violation("fragmented ping", frame(9, fin: false), .controlFragmented),
  Violation("fragmented pong", frame(10, fin: false), .controlFragmented),
  Violation("fragmented Close", frame(8, fin: false), .controlFragmented),
  Violation("ping of 126 bytes", frame(9, announcing: 126), .controlTooLong),
  Violation("Close of 64 KiB", frame(8, announcing: 65_536), .controlTooLong),
  Violation("pong with a long form of a short length", frame(10, lengthWidth: 2, announcing: 3), .controlTooLong),
  Violation("Close of one byte", frame(8, [3]), .closePayloadTooShort),
  Violation("reason with a stray byte", frame(8, [3, 0xE8, 0x80]), .closeReasonInvalid),
  Violation("reason that ends inside a character", frame(8, [3, 0xE8] + snowman.dropLast()), .closeReasonInvalid),
]

private let sequenceViolations = [
  Violation("continuation first", frame(0), .continuationWithoutStart),
  Violation("continuation after a whole message", frame(1, [0x61]) + frame(0), .continuationWithoutStart),
  Violation("text inside a message", frame(1, fin: false) + frame(1), .messageInterrupted),
  Violation("binary inside a text", frame(1, fin: false) + frame(9) + frame(2), .messageInterrupted),
  Violation("one byte too much", frame(2, announcing: 1001), .messageTooBig),
  Violation("too much in fragments", frame(2, [1], fin: false) + frame(0, announcing: 1000), .messageTooBig),
  Violation("invalid text", frame(1, [0x61, 0xFF]), .invalidUTF8),
  Violation("text that ends inside a character", frame(1, Array(snowman.dropLast())), .invalidUTF8),
  Violation(
    "text broken at a fragment's border", frame(1, [0xE2], fin: false) + frame(9) + frame(0, [0x28]), .invalidUTF8),
  Violation(
    "text that an empty frame ends inside a character", frame(1, [0xE2], fin: false) + frame(0, []), .invalidUTF8),
  Violation("invalid text long before its frame's end", frame(1, [0xC0], announcing: 900), .invalidUTF8),
]

@Suite struct `Broken rules` {
  @Test(arguments: headerViolations + controlViolations + sequenceViolations)
  func `are found in every split of the input`(_ violation: Violation) {
    let rules = Rules(sender: violation.sender, maxMessageBytes: violation.maxMessageBytes)
    for pieces in everySplit(of: violation.input) {
      #expect(read(pieces, rules).last == .error(violation.error))
    }
  }

  @Test(arguments: [0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF] as [UInt8])
  func `undefined opcodes are refused`(_ opcode: UInt8) {
    #expect(read([frame(opcode)[...]]) == [.error(.unknownOpcode)])
    #expect(read([frame(opcode, fin: false)[...]]) == [.error(.unknownOpcode)])
  }

  @Test(arguments: [0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65_535] as [UInt16])
  func `close codes that no frame may carry are refused`(_ code: UInt16) {
    let payload = [UInt8(code >> 8), UInt8(code & 0xFF)]
    #expect(read([frame(8, payload)[...]]) == [.error(.closeCodeInvalid)])
  }

  @Test func `the table above knows every error`() {
    let named = Set((headerViolations + controlViolations + sequenceViolations).map(\.error))
    #expect(Set(FrameError.allCases).subtracting(named) == [.unknownOpcode, .closeCodeInvalid])
  }

  @Test func `invalid text is accepted where it is not checked`() {
    let seen = read([frame(1, [0xFF])[...]], Rules(checksUTF8: false))
    #expect(seen.last == .payload([0xFF], endsMessage: true))
  }

  @Test func `binary is never checked as text`() {
    #expect(read([frame(2, [0xFF])[...]]).last == .payload([0xFF], endsMessage: true))
  }
}
