extension JSONParser {
  /// Reads a string at its opening quote.
  mutating func string(_ bytes: Span<UInt8>) throws(JSONError) -> String {
    index += 1
    let start = index
    var escaped = false
    scan: while true {
      guard index < bytes.count else { throw JSONError(.unexpectedEnd, at: bytes.count) }
      switch bytes[index] {
      case quote: break scan
      case 0..<0x20: throw JSONError(.controlCharacter, at: index)
      case backslash:
        escaped = true
        index += 2
      default: index += 1
      }
    }
    let raw = bytes.extracting(start..<index)
    index += 1
    let text: String
    do throws(UTF8.ValidationError) {
      text = String(copying: try UTF8Span(validating: raw))
    } catch {
      throw JSONError(.invalidUTF8, at: start + error.byteOffsets.lowerBound)
    }
    return escaped ? try unescaped(raw, at: start) : text
  }

  private func unescaped(_ raw: Span<UInt8>, at start: Int) throws(JSONError) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(raw.count)
    var position = 0
    while position < raw.count {
      guard raw[position] == backslash else {
        text.append(raw[position])
        position += 1
        continue
      }
      // The scan stepped over the byte after each backslash, so there is one.
      let escape = raw[position + 1]
      if escape == UInt8(ascii: "u") {
        let (scalar, length) = try unicodeEscape(raw, from: position, at: start)
        text.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
        position += length
      } else {
        guard let byte = simpleEscape(escape) else { throw JSONError(.invalidEscape, at: start + position) }
        text.append(byte)
        position += 2
      }
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// Reads `\uXXXX`, or two of them that form a surrogate pair.
  private func unicodeEscape(_ raw: Span<UInt8>, from position: Int, at start: Int) throws(JSONError) -> (Unicode.Scalar, Int) {
    guard let first = codeUnit(raw, from: position) else { throw JSONError(.invalidEscape, at: start + position) }
    if let scalar = Unicode.Scalar(first) { return (scalar, 6) }
    guard UTF16.isLeadSurrogate(first), let second = codeUnit(raw, from: position + 6), UTF16.isTrailSurrogate(second),
      let scalar = Unicode.Scalar(0x10000 + UInt32(first & 0x3ff) << 10 + UInt32(second & 0x3ff))
    else { throw JSONError(.loneSurrogate, at: start + position) }
    return (scalar, 12)
  }

  private func codeUnit(_ raw: Span<UInt8>, from position: Int) -> UInt16? {
    guard position + 6 <= raw.count, raw[position] == backslash, raw[position + 1] == UInt8(ascii: "u") else { return nil }
    var unit: UInt16 = 0
    for index in position + 2..<position + 6 {
      guard let digit = ASCII.hexDigit(raw[index]) else { return nil }
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }
}

private func simpleEscape(_ byte: UInt8) -> UInt8? {
  switch byte {
  case quote, backslash, UInt8(ascii: "/"): byte
  case UInt8(ascii: "b"): 0x08
  case UInt8(ascii: "f"): 0x0c
  case UInt8(ascii: "n"): 0x0a
  case UInt8(ascii: "r"): 0x0d
  case UInt8(ascii: "t"): 0x09
  default: nil
  }
}

private let quote = UInt8(ascii: "\"")
private let backslash = UInt8(ascii: "\\")
