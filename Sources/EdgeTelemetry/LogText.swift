/// How texts and numbers enter a log line.
///
/// Nearly every text is short printing ASCII, which is checked once and copied whole; only what is not is gone through scalar by
/// scalar. The two lines of a WebSocket are the measure: they are written while it waits.
extension [UInt8] {
  /// Appends a text in quotation marks, escaped.
  mutating func appendQuoted(_ text: String) {
    append(UInt8(ascii: "\""))
    appendEscaped(text)
    append(UInt8(ascii: "\""))
  }

  /// Appends text, cut at `LogRecord.maxTextBytes`, with JSON's escapes for quotes, backslashes and everything that
  /// steers a terminal.
  mutating func appendEscaped(_ text: String) {
    if text.utf8.count <= LogRecord.maxTextBytes, isPlain(text.utf8.span) {
      append(unescaped: text)
    } else {
      appendEscapedScalars(of: text)
    }
  }

  /// Appends text of the source code's, or that was looked at, as it is. By its span it takes a third of the user instructions
  /// that `append(contentsOf: text.utf8)` takes (`scripts/bench --parts instructions`).
  mutating func append(unescaped text: String) {
    unsafe text.utf8.span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }

  /// Appends a whole number in decimal digits.
  mutating func appendDecimal(_ value: Int64) {
    if value < 0 { append(UInt8(ascii: "-")) }
    appendDecimal(magnitude: value.magnitude)
  }

  private mutating func appendDecimal(magnitude: UInt64) {
    if magnitude >= 10 { appendDecimal(magnitude: magnitude / 10) }
    append(UInt8(ascii: "0") + UInt8(magnitude % 10))
  }

  private mutating func appendEscapedScalars(of text: String) {
    var left = LogRecord.maxTextBytes
    for scalar in text.unicodeScalars {
      left -= UTF8.width(scalar)
      guard left >= 0 else { return append(contentsOf: "…".utf8) }
      switch scalar {
      case "\"": append(contentsOf: #"\""#.utf8)
      case "\\": append(contentsOf: #"\\"#.utf8)
      case "\n": append(contentsOf: #"\n"#.utf8)
      case "\r": append(contentsOf: #"\r"#.utf8)
      case "\t": append(contentsOf: #"\t"#.utf8)
      case _ where steersTerminal(scalar):
        let digits = String(scalar.value, radix: 16)
        append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
      default: UTF8.encode(scalar).map { append(contentsOf: $0) }
      }
    }
  }
}

/// Whether a text is printing ASCII, spaces included, that needs no escape.
private func isPlain(_ text: Span<UInt8>) -> Bool {
  for index in text.indices {
    let byte = text[index]
    guard byte &- 0x20 < 0x5f, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else { return false }
  }
  return true
}

/// C0, DEL and C1 control characters, line and paragraph separators, marks that reorder text, the byte order mark. All
/// below U+10000.
private func steersTerminal(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x00...0x1f, 0x7f...0x9f, 0x061c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff: true
  default: false
  }
}
