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
    line.reserveCapacity(usualLineBytes)
    switch format {
    case .json: appendJSON(to: &line)
    case .text: appendText(to: &line)
    }
    line.append(0x0a)
    return line
  }

  private func appendJSON(to line: inout [UInt8]) {
    line.append(unescaped: #"{"timestamp":""#)
    time.appendRFC3339(to: &line)
    line.append(unescaped: #"","level":""#)
    line.append(unescaped: level.rawValue)
    line.append(unescaped: #"","message":"#)
    line.appendQuoted(message)
    line.append(unescaped: #","event.name":"#)
    line.appendQuoted(event)
    for (field, value) in fields {
      line.append(unescaped: field.member)
      switch value {
      case .text(let text): line.appendQuoted(shown(text, in: field))
      case .integer(let value): line.appendDecimal(value)
      case .real(let value): line.append(unescaped: value.isFinite ? value.description : "null")
      case .flag(let value): line.append(unescaped: value ? "true" : "false")
      }
    }
    line.append(UInt8(ascii: "}"))
  }

  private func appendText(to line: inout [UInt8]) {
    time.appendRFC3339(to: &line)
    line.append(0x20)
    line.append(contentsOf: level.rawValue.uppercased().utf8)
    line.append(contentsOf: repeatElement(0x20, count: 6 - level.rawValue.utf8.count))
    line.appendEscaped(message)
    line.append(contentsOf: " event.name=".utf8)
    line.appendEscaped(event)
    for (field, value) in fields {
      line.append(0x20)
      line.append(contentsOf: field.name.utf8)
      line.append(UInt8(ascii: "="))
      switch value {
      case .text(let text):
        let text = shown(text, in: field)
        if needsQuotes(text) { line.appendQuoted(text) } else { line.appendEscaped(text) }
      case .integer(let value): line.appendDecimal(value)
      case .real(let value): line.append(contentsOf: value.description.utf8)
      case .flag(let value): line.append(contentsOf: (value ? "true" : "false").utf8)
      }
    }
  }

  /// A second lock on the door: a query never reaches a log, even if a caller passes a whole target as the path. Bytes are
  /// looked at, since a mark after `?` would make another character of it.
  private func shown(_ text: String, in field: LogField) -> String {
    guard field == .urlPath, let end = text.utf8.firstIndex(where: { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") })
    else { return text }
    return String(text[..<end])
  }
}

private func needsQuotes(_ text: String) -> Bool {
  text.isEmpty
    || text.utf8.contains { $0 == 0x20 || $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
}

/// Room for the longer line of a WebSocket, so that it is not copied as it grows.
private let usualLineBytes = 768
