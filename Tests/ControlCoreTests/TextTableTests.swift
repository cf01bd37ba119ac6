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
