import EdgeCore
import Testing

@testable import ControlCore

@Suite struct `A stream of events` {
  private static let stream = """
    : heartbeat\r
    \r
    event: opened\r
    id: 7\r
    data: {"at":"2026-01-31T12:00:00.000Z","user":"al\\u001bice","route":"chat","n":1,"origin":null}\r
    \r
    data:one\r
    data: two\r
    retry: 5\r
    \r
    event: empty\r
    \r

    """

  private static let events = [
    StreamEvent(
      name: "opened", id: "7", data: #"{"at":"2026-01-31T12:00:00.000Z","user":"al\u001bice","route":"chat","n":1,"origin":null}"#
    ),
    StreamEvent(name: "message", id: "7", data: "one\ntwo"),
  ]

  @Test(arguments: ["\r\n", "\n", "\r"])
  func `is the same however it is cut, with any line ending`(ending: String) throws {
    let bytes = Array(Self.stream.replacing("\r\n", with: ending).utf8)
    for cut in 0...bytes.count {
      var reader = EventStreamReader()
      #expect(try reader.read(bytes[..<cut]) + reader.read(bytes[cut...]) == Self.events)
    }
  }

  @Test func `is refused where an event has no end`() throws {
    var reader = EventStreamReader()
    let part = Array("data: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n".utf8)
    #expect(throws: ControlFailure.self) {
      for _ in 0..<10_000 { _ = try reader.read(part) }
    }
    var patient = EventStreamReader()
    for _ in 0..<10_000 { _ = try patient.read(Array(": heartbeat of an edge that has nothing to say\n\n".utf8)) }
  }

  @Test func `is a line for each, with nothing in it that a terminal obeys`() {
    let event = Self.events[0]
    #expect(event.line(painter: Painter(isColored: false)) == "12:00:00Z opened    user=al\\u{1b}ice route=chat n=1\n")
    #expect(Self.events[1].line(painter: Painter(isColored: false)) == "message   one\\u{a}two\n")
    let nested = StreamEvent(
      name: "rule", id: nil, data: #"{"at":"x","change":"added","rule":{"id":"r1","bytes":[1]},"by":null}"#)
    #expect(nested.line(painter: Painter(isColored: false)) == "x rule      change=added rule.id=r1 rule.bytes=[1]\n")
    #expect(event.json["event"] == "opened" && event.json["id"] == "7" && event.json["data"]?["route"] == "chat")
  }
}

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

@Suite struct `A new token` {
  @Test func `is known to the edge by its hash alone`() {
    let minted = MintedToken(
      random: [UInt8](repeating: 0xab, count: 32), role: "operator", name: "ops", sha256: { [UInt8($0.count), 0xff] })
    #expect(minted.token == String(repeating: "ab", count: 32))
    #expect(minted.line == "operator:ops:40ff")
  }

  @Test(arguments: [
    ("ops", true), ("a.b-c_d", true), ("", false), ("a:b", false), ("a b", false), ("ü", false),
    (String(repeating: "x", count: 65), false),
  ])
  func `has a name that fits the file`(name: String, isName: Bool) {
    #expect(MintedToken.isName(name) == isName)
  }
}
