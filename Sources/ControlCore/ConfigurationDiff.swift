public import EdgeCore

/// What a reload changed, or would change: `diff` of `/reload` and `/config/validate`.
public struct ConfigurationDiff: Sendable {
  private let changes: [JSON]

  /// Takes the differences out of an answer.
  public init(_ answer: JSON) {
    changes = answer["diff"]?.arrayValue ?? []
  }

  /// A line for each setting: `~ limits.per_ip.connections: 50 → 80`, with what it asks of the operator.
  public func text(painter: Painter) -> String {
    guard !changes.isEmpty else { return "Nothing differs.\n" }
    return changes.map { change in
      let (old, new) = (value(change["old"]), value(change["new"]))
      let (sign, style): (String, Style) = old == nil ? ("+", .good) : new == nil ? ("-", .bad) : ("~", .warning)
      let path = TerminalText.safe(change["path"]?.stringValue ?? "")
      let values = [old, new].compactMap { $0 }.joined(separator: " → ")
      return painter.paint("\(sign) \(path): \(values)", style) + painter.paint(effect(change["effect"]?.stringValue), .faint)
        + "\n"
    }.joined()
  }

  private func value(_ json: JSON?) -> String? {
    guard let json, !json.isNull else { return nil }
    return TerminalText.safe(json.stringValue ?? String(decoding: json.encoded(), as: UTF8.self))
  }

  private func effect(_ word: String?) -> String {
    switch word {
    case "new_connections"?: "  (for new connections)"
    case "needs_restart"?: "  (needs a restart)"
    case "applied"?, nil: ""
    case let word?: "  (\(TerminalText.safe(word)))"
    }
  }
}
