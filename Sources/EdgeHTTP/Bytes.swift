extension String {
  /// The text in which each byte is the scalar of its number.
  init(latin1 bytes: ArraySlice<UInt8>) {
    if bytes.allSatisfy({ $0 < 0x80 }) {
      self.init(decoding: bytes, as: UTF8.self)
    } else {
      self.init()
      unicodeScalars.append(contentsOf: bytes.lazy.map { Unicode.Scalar($0) })
    }
  }
}

extension [UInt8] {
  /// One byte for each scalar of a Latin-1 text.
  init(latin1 text: String) {
    self.init()
    append(latin1: text)
  }

  /// Adds one byte for each scalar of a Latin-1 text.
  mutating func append(latin1 text: String) {
    if text.utf8Span.isKnownASCII {
      append(contentsOf: text.utf8)
    } else {
      append(contentsOf: text.unicodeScalars.lazy.map { UInt8(truncatingIfNeeded: $0.value) })
    }
  }

  /// Adds CRLF.
  mutating func appendLineEnding() {
    append(0x0d)
    append(0x0a)
  }
}
