import EdgeIO

/// The terminal's second screen, taken for a while.
struct Screen {
  /// Takes it, and hides the cursor.
  init() {
    StandardStreams.writeOutput("\u{1b}[?1049h\u{1b}[?25l")
  }

  /// Draws over what was there.
  func draw(_ lines: [String]) {
    StandardStreams.writeOutput("\u{1b}[H" + lines.map { "\($0)\u{1b}[K" }.joined(separator: "\n") + "\u{1b}[J")
  }

  /// Gives it back.
  func leave() {
    StandardStreams.writeOutput("\u{1b}[?25h\u{1b}[?1049l")
  }
}
