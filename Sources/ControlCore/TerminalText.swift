/// Text from strangers made fit for a terminal: it can neither move the cursor nor turn what is read around it.
///
/// User names, origins and reasons come from peers. Control characters, and those that format without being seen (bidirectional
/// overrides and isolates, joiners, tags), are shown as their numbers, `\u{1b}`.
public enum TerminalText {
  /// The text with nothing in it that a terminal obeys, cut to `maxWidth` columns.
  public static func safe(_ text: String, maxWidth: Int = maxCellWidth) -> String {
    var safe = ""
    var width = 0
    var marks = 0
    for scalar in text.unicodeScalars {
      marks = isMark(scalar) ? marks + 1 : 0
      let isShown = !isDangerous(scalar) && marks <= maxMarks
      let piece = isShown ? String(scalar) : "\\u{\(String(scalar.value, radix: 16))}"
      let pieceWidth = isShown ? columns(of: scalar) : piece.utf8.count
      guard width + pieceWidth <= maxWidth else { return fitted(safe, to: maxWidth - 1) + "…" }
      safe += piece
      width += pieceWidth
    }
    return safe
  }

  /// How many columns of a terminal a safe text takes.
  public static func width(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { $0 + columns(of: $1) }
  }

  /// The text cut to `width` columns, with an ellipsis for its end where it is longer.
  public static func shortened(_ text: String, to width: Int) -> String {
    guard width > 0 else { return "" }
    return self.width(text) <= width ? text : fitted(text, to: width - 1) + "…"
  }

  /// Whether a terminal may obey the character instead of showing it.
  static func isDangerous(_ scalar: Unicode.Scalar) -> Bool {
    guard scalar.value >= 0x7f else { return scalar.value < 0x20 }
    return switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse: true
    default: scalar.properties.isDefaultIgnorableCodePoint
    }
  }

  /// As much of the text's beginning as `width` columns hold.
  private static func fitted(_ text: String, to width: Int) -> String {
    var used = 0
    var kept = ""
    for scalar in text.unicodeScalars {
      used += columns(of: scalar)
      guard used <= width else { break }
      kept.unicodeScalars.append(scalar)
    }
    return kept
  }

  /// The most columns that one text of a peer takes.
  public static let maxCellWidth = 256
}

/// Marks stand on the character before them, and take no column.
private func isMark(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .nonspacingMark, .enclosingMark: true
  default: false
  }
}

private func columns(of scalar: Unicode.Scalar) -> Int {
  guard scalar.value >= 0x300 else { return 1 }
  if isMark(scalar) { return 0 }
  return scalar.properties.isEmojiPresentation || wideRanges.contains { $0.contains(scalar.value) } ? 2 : 1
}

/// What takes two columns (UAX #11, East Asian Width W and F), by whole blocks.
private let wideRanges: [ClosedRange<UInt32>] = [
  0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x4dbf, 0x4e00...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff,
  0xfe10...0xfe19, 0xfe30...0xfe6f, 0xff01...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f900...0x1f9ff, 0x20000...0x3fffd,
]

/// How many marks may stand on one character: more would run over the lines around it.
private let maxMarks = 2
