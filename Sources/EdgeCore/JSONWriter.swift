extension JSON {
  /// The value as compact JSON text in UTF-8; the parser gives an equal value back.
  ///
  /// A number that is not finite, which JSON cannot say, becomes `null`.
  public func encoded() -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(256)
    encode(into: &output)
    return output
  }

  /// Appends the value as compact JSON text in UTF-8.
  public func encode(into output: inout [UInt8]) {
    switch self {
    case .null: output.append(contentsOf: "null".utf8)
    case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
    case .integer(let value): output.append(contentsOf: String(value).utf8)
    case .number(let value): output.append(contentsOf: (value.isFinite ? value.description : "null").utf8)
    case .string(let text): JSON.encode(text, into: &output)
    case .array(let elements):
      output.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        element.encode(into: &output)
      }
      output.append(UInt8(ascii: "]"))
    case .object(let members):
      output.append(UInt8(ascii: "{"))
      for (index, member) in members.enumerated() {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        JSON.encode(member.name, into: &output)
        output.append(UInt8(ascii: ":"))
        member.value.encode(into: &output)
      }
      output.append(UInt8(ascii: "}"))
    }
  }

  /// Appends `text` as a JSON string with its quotes; quotes, backslashes and control characters are escaped.
  public static func encode(_ text: String, into output: inout [UInt8]) {
    output.append(UInt8(ascii: "\""))
    if hasEscapes(text.utf8.span) {
      for byte in text.utf8 { appendEscaped(byte, to: &output) }
    } else {
      output.append(contentsOf: text.utf8)
    }
    output.append(UInt8(ascii: "\""))
  }
}

private func hasEscapes(_ bytes: Span<UInt8>) -> Bool {
  for index in bytes.indices where needsEscape(bytes[index]) { return true }
  return false
}

private func needsEscape(_ byte: UInt8) -> Bool {
  byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7f
}

private func appendEscaped(_ byte: UInt8, to output: inout [UInt8]) {
  guard needsEscape(byte) else {
    output.append(byte)
    return
  }
  output.append(UInt8(ascii: "\\"))
  switch byte {
  case 0x0a: output.append(UInt8(ascii: "n"))
  case 0x0d: output.append(UInt8(ascii: "r"))
  case 0x09: output.append(UInt8(ascii: "t"))
  case 0..<0x20, 0x7f:
    output.append(contentsOf: "u00".utf8)
    output.append(contentsOf: Hexadecimal.text(CollectionOfOne(byte)).utf8)
  default: output.append(byte)
  }
}
