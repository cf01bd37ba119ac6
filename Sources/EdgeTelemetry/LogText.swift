internal import EdgeCore

/// How texts, numbers and addresses enter a log line.
///
/// Nearly every text is short printing ASCII, which is checked once and copied whole; only what is not is gone through scalar by
/// scalar. The two lines of a WebSocket are the measure: they are written while it waits.
extension LineBuffer {
  /// Appends a text in quotation marks, escaped.
  mutating func appendQuoted(_ text: String) {
    append(UInt8(ascii: "\""))
    appendEscaped(text)
    append(UInt8(ascii: "\""))
  }

  /// Appends text, cut at `LogRecord.maxTextBytes`, with JSON's escapes for quotes, backslashes and everything that
  /// steers a terminal.
  mutating func appendEscaped(_ text: String) {
    let bytes = text.utf8.span
    if bytes.count <= LogRecord.maxTextBytes, isPlain(bytes) {
      append(bytes)
    } else {
      appendEscapedScalars(of: text)
    }
  }

  /// Appends text of the source code's, or that was looked at, as it is.
  mutating func append(unescaped text: String) {
    append(text.utf8.span)
  }

  /// Appends a whole number in decimal digits.
  mutating func appendDecimal(_ value: Int64) {
    if value < 0 { append(UInt8(ascii: "-")) }
    appendDecimal(magnitude: value.magnitude)
  }

  /// Appends an address as its description has it.
  mutating func append(_ address: IPAddress) {
    guard address.isIPv4 else { return append(unescaped: address.description) }
    for shift in stride(from: UInt64(24), through: 0, by: -8) {
      appendDecimal(magnitude: address.low >> shift & 0xff)
      if shift > 0 { append(UInt8(ascii: ".")) }
    }
  }

  /// Appends an address and its port as their description has them.
  mutating func append(_ peer: PeerAddress) {
    guard case .ip(let address, let port) = peer, address.isIPv4 else { return append(unescaped: peer.description) }
    append(address)
    append(UInt8(ascii: ":"))
    appendDecimal(magnitude: UInt64(port))
  }

  /// Appends sixteen lower-case hexadecimal digits.
  mutating func appendHexadecimal(_ value: UInt64) {
    let digits = Hexadecimal.digits(value)
    append(digits.span)
  }

  private mutating func appendDecimal(magnitude: UInt64) {
    if magnitude >= 10 { appendDecimal(magnitude: magnitude / 10) }
    append(UInt8(ascii: "0") + UInt8(magnitude % 10))
  }

  private mutating func appendEscapedScalars(of text: String) {
    var left = LogRecord.maxTextBytes
    for scalar in text.unicodeScalars {
      left -= UTF8.width(scalar)
      guard left >= 0 else { return append("…") }
      switch scalar {
      case "\"": append(#"\""#)
      case "\\": append(#"\\"#)
      case "\n": append(#"\n"#)
      case "\r": append(#"\r"#)
      case "\t": append(#"\t"#)
      case _ where steersTerminal(scalar):
        let digits = String(scalar.value, radix: 16)
        append(unescaped: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)")
      default: append(unescaped: String(scalar))
      }
    }
  }
}

/// Whether a text is printing ASCII, spaces included, that needs no escape. Eight bytes at a time, for it is asked of each text.
private func isPlain(_ text: Span<UInt8>) -> Bool {
  var index = 0
  while index + 8 <= text.count {
    guard isPlain(unsafe text.bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)) else { return false }
    index += 8
  }
  while index < text.count {
    let byte = text[index]
    guard byte &- 0x20 < 0x5f, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else { return false }
    index += 1
  }
  return true
}

/// The same of eight bytes: the top bit of each is set where it is above 0x7f, or below 0x20, or DEL, a quotation mark or a
/// backslash. A borrow from such a byte may accuse the next one too, which changes nothing.
private func isPlain(_ bytes: UInt64) -> Bool {
  let ones: UInt64 = 0x0101_0101_0101_0101
  func zeros(_ word: UInt64) -> UInt64 { (word &- ones) & ~word }
  let below = bytes &- (0x20 &* ones)
  let equal = zeros(bytes ^ (0x7f &* ones)) | zeros(bytes ^ (0x22 &* ones)) | zeros(bytes ^ (0x5c &* ones))
  return (bytes | below | equal) & (0x80 &* ones) == 0
}

/// C0, DEL and C1 control characters, line and paragraph separators, marks that reorder text, the byte order mark. All
/// below U+10000.
private func steersTerminal(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x00...0x1f, 0x7f...0x9f, 0x061c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff: true
  default: false
  }
}
