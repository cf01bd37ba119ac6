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
    Column(title) { Cell($0[member]?.stringValue.map(TimeText.full)) }
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
