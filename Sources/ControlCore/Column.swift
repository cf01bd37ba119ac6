internal import EdgeCore

/// A column of a list that the API gives: a heading, and how to show an entry under it.
struct Column {
  let heading: TextTable.Heading
  let cell: (JSON) -> Cell

  /// A column of one's own making.
  init(_ title: String, isRightAligned: Bool = false, mayShrink: Bool = false, _ cell: @escaping (JSON) -> Cell) {
    heading = TextTable.Heading(title, isRightAligned: isRightAligned, mayShrink: mayShrink)
    self.cell = cell
  }

  /// A member as it is.
  static func text(_ title: String, _ member: String, mayShrink: Bool = false) -> Column {
    Column(title, mayShrink: mayShrink) { Cell($0[member]?.text) }
  }

  /// A member that counts something.
  static func count(_ title: String, _ member: String) -> Column {
    Column(title, isRightAligned: true) { Cell($0[member]?.integerValue.map(Figures.count)) }
  }

  /// A member in bytes.
  static func bytes(_ title: String, _ member: String) -> Column {
    Column(title, isRightAligned: true) { Cell($0[member]?.numberValue.map(Figures.bytes)) }
  }

  /// A member in seconds.
  static func duration(_ title: String, _ member: String) -> Column {
    Column(title, isRightAligned: true) { Cell($0[member]?.numberValue.map { Figures.duration(seconds: $0) }) }
  }

  /// A member that is a moment: without the fraction.
  static func time(_ title: String, _ member: String) -> Column {
    Column(title) { Cell($0[member]?.stringValue.map(Moment.text)) }
  }

  /// A member that is a list of texts.
  static func list(_ title: String, _ member: String) -> Column {
    Column(title, mayShrink: true) { Cell($0[member]?.arrayValue?.compactMap(\.text).joined(separator: " ")) }
  }
}

extension TextTable {
  /// The entries of a list, a row for each.
  init(_ columns: [Column], of entries: [JSON]) {
    self.init(columns.map(\.heading), rows: entries.map { entry in columns.map { $0.cell(entry) } })
  }
}

/// A moment as people read it.
public enum Moment {
  /// `2026-01-31 23:59:59Z` of `2026-01-31T23:59:59.123Z`; any other text as it is.
  public static func text(_ rfc3339: String) -> String {
    guard WallTime(rfc3339: rfc3339) != nil, rfc3339.hasSuffix("Z") else { return TerminalText.safe(rfc3339, maxWidth: 32) }
    let parts = rfc3339.dropLast().split(separator: "T")
    return parts.count == 2 ? "\(parts[0]) \(parts[1].prefix(8))Z" : rfc3339
  }

  /// `23:59:59Z`: the time of the day alone.
  static func timeOfDay(_ rfc3339: String) -> String { String(text(rfc3339).suffix(9)) }
}
