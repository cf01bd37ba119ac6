import Testing

@testable import ControlCore

@Suite struct `A table` {
  private let plain = Painter(isColored: false)

  @Test func `aligns by columns of the terminal, numbers to the right`() {
    let table = TextTable(
      [.init("USER"), .init("MSGS", isRightAligned: true), .init("ROUTE")],
      rows: [[Cell("日本"), Cell("1,240"), Cell("chat")], [Cell("bob"), Cell("7"), Cell("")]])
    #expect(
      table.text(width: nil, painter: plain) == """
        USER   MSGS  ROUTE
        日本  1,240  chat
        bob       7

        """)
  }

  @Test func `leaves out a column in which nobody says anything`() {
    let table = TextTable([.init("ID"), .init("THROTTLE"), .init("STATE")], rows: [[Cell("1"), Cell(nil), Cell("open")]])
    #expect(table.text(width: nil, painter: plain) == "ID  STATE\n1   open\n")
    #expect(TextTable([.init("ID"), .init("STATE")], rows: []).text(width: nil, painter: plain) == "ID  STATE\n")
  }

  @Test func `cuts the widest of what may be cut until it fits`() {
    let long = String(repeating: "x", count: 100)
    let table = TextTable(
      [.init("ID"), .init("USER", mayShrink: true), .init("PATH", mayShrink: true)],
      rows: [[Cell("0123456789abcdef"), Cell(long), Cell(long + long)]])
    for width in [50, 80, 132, 400] {
      let lines = table.text(width: width, painter: plain).split(separator: "\n")
      #expect(lines.allSatisfy { TerminalText.width(String($0)) <= width }, "\(width)")
      #expect(lines.last?.hasPrefix("0123456789abcdef  xx") == true)
    }
    #expect(table.text(width: nil, painter: plain).contains(long + long))
  }

  @Test func `is aligned the same with colours`() {
    let table = TextTable([.init("UP"), .init("ID")], rows: [[Cell("up", .good), Cell("1")], [Cell("down", .bad), Cell("2")]])
    let colored = table.text(width: nil, painter: Painter(isColored: true))
    #expect(colored.contains("\u{1b}[32mup\u{1b}[0m    1\n"))
    #expect(colored.contains("\u{1b}[31mdown\u{1b}[0m  2\n"))
  }

  @Test func `takes no orders from what is in it`() {
    let table = TextTable([.init("USER")], rows: [[Cell("\u{1b}]0;title\u{7}\u{202e}")]])
    #expect(table.text(width: nil, painter: plain) == "USER\n\\u{1b}]0;title\\u{7}\\u{202e}\n")
  }
}

@Suite struct `A sheet` {
  @Test func `has a line for each label with something to say`() {
    var sheet = Sheet()
    sheet.add("edge", Cell("sluice 1.0"), Cell(nil), Cell("ready", .good))
    sheet.add("nothing", Cell(nil), nil)
    sheet.add("connections", Cell("2 of 10"))
    #expect(
      sheet.text(width: nil, painter: Painter(isColored: false)) == """
        edge         sluice 1.0 · ready
        connections  2 of 10

        """)
    #expect(sheet.text(width: 24, painter: Painter(isColored: false)).hasPrefix("edge         sluice 1.0…\n"))
  }
}

@Suite struct `Figures for people` {
  @Test(
    arguments: [
      (0, "0s"), (-1, "0s"), (0.8504, "850ms"), (12.9, "12s"), (185, "3m05s"), (8_040, "2h14m"), (442_800, "5d03h"),
      (.infinity, "0s"), (.nan, "0s"), (1e300, "11574074d01h"),
    ] as [(Double, String)])
  func `a time has its two largest units`(seconds: Double, text: String) {
    #expect(Figures.duration(seconds: seconds) == text)
  }

  @Test(
    arguments: [(0, "0"), (999, "999"), (1_000, "1,000"), (-1_234_567, "-1,234,567"), (.max, "9,223,372,036,854,775,807")]
      as [(Int64, String)])
  func `a count has its thousands apart`(number: Int64, text: String) {
    #expect(Figures.count(number) == text)
  }

  @Test(
    arguments: [(0, "0 B"), (1_023, "1023 B"), (1_434, "1.4 KiB"), (1_048_576, "1.0 MiB"), (1e30, "1000000000000000.0 PiB")]
      as [(Double, String)])
  func `a size has a unit`(bytes: Double, text: String) {
    #expect(Figures.bytes(bytes).hasSuffix(String(text.suffix(3))) && (bytes > 1e29 || Figures.bytes(bytes) == text))
  }

  @Test(arguments: [(0, "0/s"), (0.25, "0.3/s"), (3.2, "3.2/s"), (1_240.4, "1,240/s")] as [(Double, String)])
  func `a pace is by the second`(rate: Double, text: String) {
    #expect(Figures.rate(rate) == text)
  }

  @Test func `one is not many`() {
    #expect(Figures.count(1, "connection") == "1 connection")
    #expect(Figures.count(2_431, "connection") == "2,431 connections")
  }
}
