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
