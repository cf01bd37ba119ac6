internal import EdgeCore

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

  /// Adds `%XX` with upper-case digits.
  mutating func append(percentEncoding byte: UInt8) {
    append(UInt8(ascii: "%"))
    append(upperHexDigit(byte >> 4))
    append(upperHexDigit(byte & 0xf))
  }
}

extension ASCII {
  /// Whether the byte never needs an escape in a URI: a letter, a digit, `-`, `.`, `_` or `~` (RFC 3986 §2.3).
  static func isUnreserved(_ byte: UInt8) -> Bool {
    if isLetter(byte) || isDigit(byte) { return true }
    switch byte {
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): return true
    default: return false
    }
  }
}

/// `bytes` without spaces and tabs at its ends (RFC 9110 §5.6.3).
func trimmingOptionalWhitespace(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
  var trimmed = bytes
  while let first = trimmed.first, isOptionalWhitespace(first) { trimmed.removeFirst() }
  while let last = trimmed.last, isOptionalWhitespace(last) { trimmed.removeLast() }
  return trimmed
}

/// Whether the byte is a space or a tab.
func isOptionalWhitespace(_ byte: UInt8) -> Bool {
  byte == 0x20 || byte == 0x09
}

/// Whether two texts are equal when ASCII letters of either case are taken as the same. On concrete types, since every lookup of
/// a field comes here.
func equalIgnoringCase(_ lhs: String, _ rhs: String) -> Bool {
  guard lhs.utf8.count == rhs.utf8.count else { return false }
  for (left, right) in zip(lhs.utf8, rhs.utf8) where ASCII.lowercased(left) != ASCII.lowercased(right) { return false }
  return true
}

/// The bytes with `%XX` decoded, or nil where an escape is broken.
func percentDecoded(_ bytes: some Sequence<UInt8>) -> [UInt8]? {
  var decoded: [UInt8] = []
  var iterator = bytes.makeIterator()
  while let byte = iterator.next() {
    guard byte == UInt8(ascii: "%") else {
      decoded.append(byte)
      continue
    }
    guard let high = iterator.next().flatMap(ASCII.hexDigit), let low = iterator.next().flatMap(ASCII.hexDigit) else {
      return nil
    }
    decoded.append(high << 4 | low)
  }
  return decoded
}

private func upperHexDigit(_ value: UInt8) -> UInt8 {
  value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
}
