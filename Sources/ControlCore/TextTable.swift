/// One field of a table: text that is safe by construction, and how it looks.
public struct Cell: Equatable, Sendable {
  /// What is shown.
  public let text: String
  /// How it looks.
  public let style: Style

  /// Makes a cell of text that may come from anybody; nil shows nothing.
  public init(_ text: String?, _ style: Style = .plain) {
    self.text = TerminalText.safe(text ?? "")
    self.style = style
  }
}

/// Rows under headings, aligned for people.
public struct TextTable: Sendable {
  /// What a column is called and how it is set.
  public struct Heading: Sendable {
    let title: String
    let isRightAligned: Bool
    let mayShrink: Bool

    /// Makes a heading.
    ///
    /// - Parameters:
    ///   - isRightAligned: for numbers.
    ///   - mayShrink: whether its texts may be cut where the terminal is too narrow.
    public init(_ title: String, isRightAligned: Bool = false, mayShrink: Bool = false) {
      self.title = title
      self.isRightAligned = isRightAligned
      self.mayShrink = mayShrink
    }
  }

  private var headings: [Heading]
  private var rows: [[Cell]]

  /// Makes a table; a column in which no row has anything to say is left out.
  public init(_ headings: [Heading], rows: [[Cell]]) {
    let kept = headings.indices.filter { index in rows.isEmpty || rows.contains { !$0[index].text.isEmpty } }
    self.headings = kept.map { headings[$0] }
    self.rows = rows.map { row in kept.map { row[$0] } }
  }

  /// The lines, each with its end.
  ///
  /// - Parameter width: the columns of the terminal; nil where there is none: then nothing is cut.
  public func text(width: Int?, painter: Painter) -> String {
    let widths = columnWidths(within: width)
    var text = line(headings.map { Cell($0.title, .heading) }, widths, painter)
    for row in rows { text += line(row, widths, painter) }
    return text
  }

  private func line(_ cells: [Cell], _ widths: [Int], _ painter: Painter) -> String {
    var line = ""
    for (index, cell) in cells.enumerated() {
      let text = TerminalText.shortened(cell.text, to: widths[index])
      let space = String(repeating: " ", count: widths[index] - TerminalText.width(text))
      let painted = painter.paint(text, cell.style)
      let isLast = index == cells.count - 1
      line += headings[index].isRightAligned ? space + painted : isLast ? painted : painted + space
      if !isLast { line += gap }
    }
    while line.last == " " { line.removeLast() }
    return line + "\n"
  }

  private func columnWidths(within available: Int?) -> [Int] {
    var widths = headings.indices.map { index in
      rows.reduce(TerminalText.width(headings[index].title)) { max($0, TerminalText.width($1[index].text)) }
    }
    guard let available else { return widths }
    var excess = widths.reduce(0, +) + gap.utf8.count * max(0, widths.count - 1) - available
    while excess > 0,
      let widest = widths.indices.filter({ headings[$0].mayShrink && widths[$0] > minShrunkWidth }).max(by: {
        widths[$0] < widths[$1]
      })
    {
      widths[widest] -= 1
      excess -= 1
    }
    return widths
  }
}

private let gap = "  "
private let minShrunkWidth = 8
