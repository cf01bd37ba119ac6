import Testing

@testable import ControlCore

@Suite struct `Text of strangers` {
  @Test(arguments: [
    ("alice", "alice"), ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"), ("a\r\nb\t", "a\\u{d}\\u{a}b\\u{9}"),
    ("\u{7f}\u{9b}31m", "\\u{7f}\\u{9b}31m"),
    ("\u{202e}evil\u{2066}", "\\u{202e}evil\\u{2066}"), ("a\u{200b}\u{feff}\u{e0041}", "a\\u{200b}\\u{feff}\\u{e0041}"),
    ("\u{2028}\u{e000}\u{3164}", "\\u{2028}\\u{e000}\\u{3164}"), ("Zoë 日本 😀 שלום", "Zoë 日本 😀 שלום"),
  ])
  func `can neither move the cursor nor turn what is around it`(text: String, shown: String) {
    #expect(TerminalText.safe(text) == shown)
  }

  @Test func `is safe whatever its characters are`() {
    for value in (0...0x10ffff as ClosedRange<UInt32>) where !(0x3000...0x1efff).contains(value) || value.isMultiple(of: 17) {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let safe = TerminalText.safe(String(scalar))
      let isObeyed = safe.unicodeScalars.contains {
        $0.properties.generalCategory == .control || $0.properties.generalCategory == .format
      }
      #expect(!isObeyed && TerminalText.width(safe) <= 10, "U+\(String(value, radix: 16))")
    }
  }

  @Test func `carries two marks on a character, and shows the others as numbers`() {
    let marks = String(repeating: "\u{301}", count: 500)
    let safe = TerminalText.safe("e\(marks)")
    #expect(safe.unicodeScalars.filter { $0.value == 0x301 }.count == 2)
    #expect(TerminalText.width(safe) <= TerminalText.maxCellWidth)
  }

  @Test(arguments: [("alice", 5), ("日本", 4), ("😀", 2), ("e\u{301}", 1), ("ｗ", 2), ("", 0)])
  func `has the width that a terminal gives it`(text: String, width: Int) {
    #expect(TerminalText.width(text) == width)
  }

  @Test func `ends in an ellipsis where it is longer than there is room`() {
    #expect(TerminalText.shortened("abcdef", to: 6) == "abcdef")
    #expect(TerminalText.shortened("abcdefg", to: 6) == "abcde…")
    #expect(TerminalText.shortened("日本語", to: 4) == "日…")
    #expect(TerminalText.shortened("abc", to: 0) == "")
    #expect(TerminalText.safe(String(repeating: "x", count: 1_000_000), maxWidth: 10) == "xxxxxxxxx…")
    #expect(TerminalText.width(TerminalText.safe(String(repeating: "日", count: 1_000), maxWidth: 10)) <= 10)
  }
}

@Suite struct `Colour` {
  @Test(
    arguments: [
      (ColorChoice.auto, true, nil, "xterm", true), (.auto, false, nil, "xterm", false), (.auto, true, "1", "xterm", false),
      (.auto, true, "", "xterm", true), (.auto, true, nil, "dumb", false), (.always, false, "1", "dumb", true),
      (.never, true, nil, "xterm", false),
    ] as [(ColorChoice, Bool, String?, String?, Bool)])
  func `is for terminals that nobody asked to be without`(
    choice: ColorChoice, onTerminal: Bool, noColor: String?, term: String?, isColored: Bool
  ) {
    #expect(
      choice.isColored(onTerminal: onTerminal, environment: { ["NO_COLOR": noColor, "TERM": term][$0] ?? nil }) == isColored)
  }

  @Test func `leaves text alone where there is none`() {
    #expect(Painter(isColored: false).paint("up", .good) == "up")
    #expect(Painter(isColored: true).paint("up", .good) == "\u{1b}[32mup\u{1b}[0m")
    #expect(Painter(isColored: true).paint("", .good) == "")
  }
}
