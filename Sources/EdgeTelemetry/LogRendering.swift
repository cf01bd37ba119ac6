internal import EdgeCore

/// How log lines look.
public enum LogFormat: String, Sendable, CaseIterable {
  /// One JSON object a line.
  case json
  /// Time, level and message, then `name=value` pairs.
  case text
}

extension LogRecord {
  /// The record as one line of UTF-8 with its line end. No text in it, whoever sent it, can end the line or steer a terminal.
  public func line(as format: LogFormat) -> [UInt8] {
    var line: [UInt8] = []
    line.reserveCapacity(512)
    switch format {
    case .json: appendJSON(to: &line)
    case .text: appendText(to: &line)
    }
    line.append(0x0a)
    return line
  }

  private func appendJSON(to line: inout [UInt8]) {
    line.append(contentsOf: #"{"timestamp":""#.utf8)
    time.appendRFC3339(to: &line)
    line.append(contentsOf: #"","level":""#.utf8)
    line.append(contentsOf: level.rawValue.utf8)
    line.append(contentsOf: #"","message":"#.utf8)
    appendQuoted(message, to: &line)
    line.append(contentsOf: #","event.name":"#.utf8)
    appendQuoted(event, to: &line)
    for (field, value) in fields {
      line.append(UInt8(ascii: ","))
      appendQuoted(field.name, to: &line)
      line.append(UInt8(ascii: ":"))
      switch value {
      case .text(let text): appendQuoted(shown(text, in: field), to: &line)
      case .integer(let value): line.append(contentsOf: String(value).utf8)
      case .real(let value): line.append(contentsOf: (value.isFinite ? value.description : "null").utf8)
      case .flag(let value): line.append(contentsOf: (value ? "true" : "false").utf8)
      }
    }
    line.append(UInt8(ascii: "}"))
  }

  private func appendText(to line: inout [UInt8]) {
    time.appendRFC3339(to: &line)
    line.append(contentsOf: " \(level.rawValue.uppercased())".utf8)
    line.append(contentsOf: repeatElement(0x20, count: 6 - level.rawValue.utf8.count))
    appendEscaped(message, to: &line)
    line.append(contentsOf: " event.name=".utf8)
    appendEscaped(event, to: &line)
    for (field, value) in fields {
      line.append(contentsOf: " \(field.name)=".utf8)
      switch value {
      case .text(let text):
        let text = shown(text, in: field)
        if needsQuotes(text) { appendQuoted(text, to: &line) } else { appendEscaped(text, to: &line) }
      case .integer(let value): line.append(contentsOf: String(value).utf8)
      case .real(let value): line.append(contentsOf: value.description.utf8)
      case .flag(let value): line.append(contentsOf: (value ? "true" : "false").utf8)
      }
    }
  }

  /// A second lock on the door: a query never reaches a log, even if a caller passes a whole target as the path.
  private func shown(_ text: String, in field: LogField) -> Substring {
    field == .urlPath ? text.prefix { $0 != "?" && $0 != "#" } : Substring(text)
  }
}

private func needsQuotes(_ text: Substring) -> Bool {
  text.isEmpty
    || text.utf8.contains { $0 == 0x20 || $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
}

private func appendQuoted(_ text: some StringProtocol, to line: inout [UInt8]) {
  line.append(UInt8(ascii: "\""))
  appendEscaped(text, to: &line)
  line.append(UInt8(ascii: "\""))
}

/// Appends text, cut at `LogRecord.maxTextBytes`, with JSON's escapes for quotes, backslashes and everything that
/// steers a terminal.
private func appendEscaped(_ text: some StringProtocol, to line: inout [UInt8]) {
  var left = LogRecord.maxTextBytes
  for scalar in text.unicodeScalars {
    left -= UTF8.width(scalar)
    guard left >= 0 else { return line.append(contentsOf: "…".utf8) }
    switch scalar {
    case "\"": line.append(contentsOf: #"\""#.utf8)
    case "\\": line.append(contentsOf: #"\\"#.utf8)
    case "\n": line.append(contentsOf: #"\n"#.utf8)
    case "\r": line.append(contentsOf: #"\r"#.utf8)
    case "\t": line.append(contentsOf: #"\t"#.utf8)
    case _ where steersTerminal(scalar):
      let digits = String(scalar.value, radix: 16)
      line.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".utf8)
    default: UTF8.encode(scalar).map { line.append(contentsOf: $0) }
    }
  }
}

/// C0, DEL and C1 control characters, line and paragraph separators, marks that reorder text, the byte order mark. All
/// below U+10000.
private func steersTerminal(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x00...0x1f, 0x7f...0x9f, 0x061c, 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff: true
  default: false
  }
}
