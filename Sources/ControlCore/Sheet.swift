/// Facts with a label each, one to a line.
public struct Sheet: Sendable {
  private var lines: [(label: String, facts: [Cell])] = []

  /// Makes an empty sheet.
  public init() {}

  /// Adds a line; facts that say nothing are left out, and a line without facts too.
  public mutating func add(_ label: String, _ facts: Cell?...) {
    add(label, facts)
  }

  /// Adds a line; facts that say nothing are left out, and a line without facts too.
  public mutating func add(_ label: String, _ facts: [Cell?]) {
    let said = facts.compactMap { $0 }.filter { !$0.text.isEmpty }
    if !said.isEmpty { lines.append((TerminalText.safe(label), said)) }
  }

  /// The lines, each with its end, cut to the terminal's width where there is one.
  public func text(width: Int?, painter: Painter) -> String {
    let labelWidth = lines.reduce(0) { max($0, TerminalText.width($1.label)) }
    return lines.reduce(into: "") { text, line in
      let space = String(repeating: " ", count: labelWidth - TerminalText.width(line.label) + 2)
      text += painter.paint(line.label, .heading) + space
      var left = width.map { max(8, $0 - labelWidth - 2) } ?? .max
      for (index, fact) in line.facts.enumerated() where left > 0 {
        let separator = index == 0 ? "" : " · "
        let shown = TerminalText.shortened(separator + fact.text, to: left)
        left -= TerminalText.width(shown)
        text += painter.paint(shown, fact.style)
      }
      text += "\n"
    }
  }
}
