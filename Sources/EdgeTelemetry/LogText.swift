internal import EdgeCore

/// How texts, numbers and addresses enter a log line.
extension LineBuffer {
  /// Appends a text in quotation marks, escaped.
  mutating func appendQuoted(_ text: String) {
    let bytes = text.utf8.span
    if isPlain(bytes) { return appendQuoted(bytes) }
    append(UInt8(ascii: "\""))
    appendEscaped(text)
    append(UInt8(ascii: "\""))
  }

  /// Appends text, cut at `LogLine.maxTextBytes`, with JSON's escapes for quotes, backslashes and everything that steers a terminal.
  mutating func appendEscaped(_ text: String) {
    let bytes = text.utf8.span
    if isPlain(bytes) { return append(bytes) }
    let end = bytes.count > LogLine.maxTextBytes ? wholeCharacters(of: bytes, upTo: LogLine.maxTextBytes) : bytes.count
    var index = 0
    while index < end {
      let next = index + scalarLength(bytes[index])
      appendEscaped(bytes.extracting(index..<next))
      index = next
    }
    if end < bytes.count { append("…") }
  }

  /// Appends text of the source code's, or that was looked at, as it is.
  mutating func append(unescaped text: String) {
    append(text.utf8.span)
  }

  /// Appends a whole number in decimal digits, with its sign if it is negative.
  mutating func appendDecimal(_ number: Int64) {
    if number < 0 { append(UInt8(ascii: "-")) }
    appendDecimal(number.magnitude)
  }

  /// Appends a time span in seconds with one to three decimals, rounded towards zero.
  mutating func append(_ duration: Duration) {
    let milliseconds = duration.nanoseconds / 1_000_000
    if milliseconds < 0 { append(UInt8(ascii: "-")) }
    let (seconds, thousandths) = milliseconds.magnitude.quotientAndRemainder(dividingBy: 1_000)
    appendDecimal(seconds)
    append(UInt8(ascii: "."))
    var (digit, rest) = thousandths.quotientAndRemainder(dividingBy: 100)
    append(UInt8(ascii: "0") + UInt8(digit))
    while rest > 0 {
      (digit, rest) = (rest * 10).quotientAndRemainder(dividingBy: 100)
      append(UInt8(ascii: "0") + UInt8(digit))
    }
  }

  /// Appends a moment as RFC 3339 has it, with milliseconds.
  mutating func append(_ time: WallTime) {
    append(time.rfc3339Bytes.span)
  }

  /// Appends an address as its description has it.
  mutating func append(_ address: IPAddress) {
    guard address.isIPv4 else { return append(unescaped: address.description) }
    appendDecimal(address.low >> 24 & 0xff)
    append(UInt8(ascii: "."))
    appendDecimal(address.low >> 16 & 0xff)
    append(UInt8(ascii: "."))
    appendDecimal(address.low >> 8 & 0xff)
    append(UInt8(ascii: "."))
    appendDecimal(address.low & 0xff)
  }

  /// Appends an address and its port as their description has them.
  mutating func append(_ peer: PeerAddress) {
    guard case .ip(let address, let port) = peer, address.isIPv4 else { return append(unescaped: peer.description) }
    append(address)
    append(UInt8(ascii: ":"))
    appendDecimal(UInt64(port))
  }

  /// Appends sixteen lower-case hexadecimal digits.
  mutating func appendHexadecimal(_ value: UInt64) {
    append(Hexadecimal.digits(value).span)
  }

  /// Appends one scalar's bytes, or its escape.
  private mutating func appendEscaped(_ scalar: Span<UInt8>) {
    switch scalar[0] {
    case UInt8(ascii: "\""): append(#"\""#)
    case UInt8(ascii: "\\"): append(#"\\"#)
    case UInt8(ascii: "\n"): append(#"\n"#)
    case UInt8(ascii: "\r"): append(#"\r"#)
    case UInt8(ascii: "\t"): append(#"\t"#)
    default:
      guard let value = codeUnit(of: scalar), steersTerminal(value) else { return append(scalar) }
      append(#"\u"#)
      append(Hexadecimal.digits(UInt64(value)).span.extracting(droppingFirst: 12))
    }
  }
}

/// Whether a text can be copied whole, as nearly every one can: it is printing ASCII, spaces included, that needs neither an escape
/// nor a cut. Eight bytes at a time, of which the last may overlap with those before.
private func isPlain(_ text: Span<UInt8>) -> Bool {
  guard text.count >= 8 else { return isPlainShort(text) }
  guard text.count <= LogLine.maxTextBytes else { return false }
  var index = 0
  while index < text.count - 8 {
    guard isPlain(unsafe text.bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)) else { return false }
    index += 8
  }
  return isPlain(unsafe text.bytes.unsafeLoadUnaligned(fromByteOffset: text.count - 8, as: UInt64.self))
}

/// The same of up to seven bytes: spaces take the place of those that are missing.
private func isPlainShort(_ text: Span<UInt8>) -> Bool {
  var bytes: UInt64 = 0x2020_2020_2020_2020
  for index in text.indices { bytes = bytes << 8 | UInt64(text[index]) }
  return isPlain(bytes)
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

/// The end of the last character of UTF-8 that ends at `limit` or before.
private func wholeCharacters(of text: Span<UInt8>, upTo limit: Int) -> Int {
  var end = limit
  while text[end] & 0xc0 == 0x80 { end -= 1 }
  return end
}

/// How many bytes of UTF-8 begin with this one (RFC 3629 §3).
private func scalarLength(_ first: UInt8) -> Int {
  first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
}

/// The scalar that up to three bytes of UTF-8 stand for; nil for one above U+FFFF.
private func codeUnit(of scalar: Span<UInt8>) -> UInt16? {
  func payload(_ index: Int) -> UInt16 { UInt16(scalar[index] & 0x3f) }
  return switch scalar.count {
  case 1: UInt16(scalar[0])
  case 2: UInt16(scalar[0] & 0x1f) << 6 | payload(1)
  case 3: UInt16(scalar[0] & 0x0f) << 12 | payload(1) << 6 | payload(2)
  case _: nil
  }
}

/// C0, DEL and C1 control characters, line and paragraph separators, marks that reorder text, the byte order mark. All
/// below U+10000.
private func steersTerminal(_ codeUnit: UInt16) -> Bool {
  switch codeUnit {
  case 0x00...0x1f, 0x7f...0x9f, 0x061c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff: true
  default: false
  }
}
