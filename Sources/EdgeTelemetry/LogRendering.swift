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
    withLine(as: format) { line in unsafe line.withUnsafeBufferPointer { unsafe Array($0) } }
  }

  /// Calls `body` with that line, which spares an array.
  public func withLine<Result>(as format: LogFormat, _ body: (Span<UInt8>) -> Result) -> Result {
    var line = LineBuffer(capacity: usualLineBytes)
    switch format {
    case .json: appendJSON(to: &line)
    case .text: appendText(to: &line)
    }
    line.append(0x0a)
    return line.withBytes(body)
  }

  private func appendJSON(to line: inout LineBuffer) {
    line.append(#"{"timestamp":""#)
    line.append(time)
    line.append(#"","level":""#)
    line.append(unescaped: level.rawValue)
    line.append(#"","message":"#)
    line.appendQuoted(message)
    line.append(#","event.name":"#)
    line.appendQuoted(event)
    for index in fields.indices {
      line.append(#",""#)
      line.append(fields[index].name.text)
      line.append(#"":"#)
      switch fields[index].value {
      case .text(let text): line.appendQuoted(shown(text, in: fields[index].name))
      case .integer(let value): line.appendDecimal(value)
      case .real(let value): line.append(unescaped: value.isFinite ? value.description : "null")
      case .flag(let value): line.append(value ? "true" : "false")
      case .address, .peer, .connection, .trace:
        line.append(UInt8(ascii: "\""))
        line.append(identity: fields[index].value)
        line.append(UInt8(ascii: "\""))
      }
    }
    line.append(UInt8(ascii: "}"))
  }

  private func appendText(to line: inout LineBuffer) {
    line.append(time)
    line.append(0x20)
    line.append(unescaped: level.rawValue.uppercased())
    line.append(unescaped: String(repeating: " ", count: 6 - level.rawValue.utf8.count))
    line.appendEscaped(message)
    line.append(" event.name=")
    line.appendEscaped(event)
    for (field, value) in fields {
      line.append(0x20)
      line.append(field.text)
      line.append(UInt8(ascii: "="))
      switch value {
      case .text(let text):
        let text = shown(text, in: field)
        if needsQuotes(text) { line.appendQuoted(text) } else { line.appendEscaped(text) }
      case .integer(let value): line.appendDecimal(value)
      case .real(let value): line.append(unescaped: value.description)
      case .flag(let value): line.append(value ? "true" : "false")
      case .address, .peer, .connection, .trace: line.append(identity: value)
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

extension LineBuffer {
  /// Appends what needs neither escape nor quotation marks, whoever is meant.
  fileprivate mutating func append(identity value: LogValue) {
    switch value {
    case .address(let address): append(address)
    case .peer(let peer): append(peer)
    case .connection(let id): appendHexadecimal(id.rawValue)
    case .trace(let high, let low):
      appendHexadecimal(high)
      appendHexadecimal(low)
    case .text, .integer, .real, .flag: break
    }
  }

  fileprivate mutating func append(_ time: WallTime) {
    var text: [UInt8] = []
    text.reserveCapacity(24)
    time.appendRFC3339(to: &text)
    append(text.span)
  }
}

private func needsQuotes(_ text: String) -> Bool {
  text.isEmpty
    || text.utf8.contains { $0 == 0x20 || $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
}

/// Room for the longer line of a WebSocket, so that it is not copied as it grows.
private let usualLineBytes = 768
