import EdgeCore
import Testing

@testable import ControlCore

@Suite struct `What top shows` {
  private let plain = Painter(isColored: false)

  @Test func `is how fast totals grow from one look to the next`() throws {
    var model = TopModel()
    #expect(model.frame(width: 100, height: 50, painter: plain).isEmpty)
    model.take(status: try status(messages: 100, refused: nil), talkers: try talkers(40), workers: [:], now: at(1))
    #expect(!text(model).contains("/s"))
    model.take(status: try status(messages: 300, refused: 5), talkers: try talkers(50), workers: [:], now: at(3))
    #expect(text(model).contains("messages in   100/s · 0 B/s · █"))
    #expect(text(model).contains("refused       banned 2.5/s"))
    #expect(text(model).contains("alice            2    5.0/s"))
    // An edge that was restarted counts from zero.
    model.take(status: try status(messages: 7, refused: nil), talkers: try talkers(0), workers: [:], now: at(4))
    #expect(!text(model).contains("messages in   -"))
    #expect(!text(model).contains("banned"))
  }

  @Test func `fits the terminal, whatever its size`() throws {
    var model = TopModel()
    for second in 1...100 {
      model.take(
        status: try status(messages: second * second, refused: second), talkers: try talkers(second), workers: [:],
        now: at(second))
    }
    for (width, height) in [(200, 60), (80, 24), (40, 10), (20, 3), (1, 1), (0, 0)] {
      let lines = model.frame(width: width, height: height, painter: plain)
      #expect(lines.count <= height)
      if width >= 80 { #expect(lines.allSatisfy { TerminalText.width($0) <= width }) }
    }
  }

  private func status(messages: Int, refused: Int?) throws -> JSON {
    let banned = refused.map { #","banned":\#($0)"# } ?? ""
    return try parsed(
      """
      {"version":"1","now":"2026-01-31T12:00:00Z","connections":1,"max_connections":2,"messages_in":\(messages),"messages_out":0,
       "bytes_in":5,"bytes_out":5,"handshakes":{"accepted":1\(banned)}}
      """)
  }

  private func talkers(_ messages: Int) throws -> [JSON] {
    [
      try parsed(
        #"{"by":"user","top":[{"key":"alice","connections":2,"messages_in":\#(messages),"messages_out":0,"bytes_in":0,"bytes_out":0}]}"#
      )
    ]
  }

  private func at(_ seconds: Int) -> Instant { Instant(nanoseconds: UInt64(seconds) * 1_000_000_000) }

  private func text(_ model: TopModel) -> String { model.frame(width: 100, height: 50, painter: plain).joined(separator: "\n") }
}

@Suite struct `Progress and sparklines` {
  @Test func `say how far something is and how long it takes yet`() {
    #expect(
      Progress(done: 600, of: 2_400).line("closed", perSecond: 200) == "[######------------------] 600 of 2,400 closed, 9s left")
    #expect(Progress(done: 5, of: 5).line("closed", perSecond: 1) == "[########################] 5 of 5 closed")
    #expect(Progress(done: 9, of: 5).line("gone", perSecond: nil).hasPrefix("[########################]"))
    #expect(Progress(done: 0, of: 0).line("gone", perSecond: 0).hasPrefix("[########################]"))
  }

  @Test func `show the newest values, the highest in full height`() {
    var line = Sparkline(capacity: 4)
    for value in [9, 0, 1, 4, 8] { line.add(Double(value)) }
    #expect(line.text(width: 10) == "▁▂▅█")
    #expect(line.text(width: 2) == "▅█")
    #expect(line.text(width: -1) == "")
    line.add(.nan)
    #expect(line.text(width: 1) == "▁")
    #expect(Sparkline().text(width: 5) == "")
  }
}
