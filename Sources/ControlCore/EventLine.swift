public import EdgeCore

extension StreamEvent {
  /// The event in one line for people: time, kind, and what it says as `name=value`.
  public func line(painter: Painter) -> String {
    guard let said = try? JSON(parsing: Array(data.utf8)), let members = said.members else {
      return "\(painter.paint(kind, style)) \(TerminalText.safe(data))\n"
    }
    let time = said["at"]?.stringValue.map { TimeText.timeOfDay($0) } ?? ""
    let facts = members.flatMap { member in member.name == "at" ? [] : self.facts(member.name, member.value) }.map { fact in
      painter.paint(TerminalText.safe(fact.name) + "=", .faint) + TerminalText.safe(fact.value)
    }
    return ([painter.paint(TerminalText.safe(time), .faint), painter.paint(kind, style)] + facts).joined(separator: " ") + "\n"
  }

  /// The event as one JSON text, for scripts.
  public var json: JSON {
    let said = (try? JSON(parsing: Array(data.utf8))) ?? .string(data)
    return .object(present: [("event", .string(name)), ("id", id.map(JSON.string)), ("data", said)])
  }

  /// What a member says; an object in it says as much as it has members.
  private func facts(_ name: String, _ value: JSON) -> [(name: String, value: String)] {
    if value.isNull { return [] }
    guard let members = value.members else { return [(name, value.text ?? String(decoding: value.encoded(), as: UTF8.self))] }
    return members.map { ("\(name).\($0.name)", $0.value.text ?? String(decoding: $0.value.encoded(), as: UTF8.self)) }
  }

  private var kind: String {
    let kind = TerminalText.safe(name, maxWidth: 16)
    return kind + String(repeating: " ", count: max(0, 9 - TerminalText.width(kind)))
  }

  private var style: Style {
    switch name {
    case "opened": .good
    case "denied", "lost": .bad
    case "closed": .plain
    default: .warning
    }
  }
}
