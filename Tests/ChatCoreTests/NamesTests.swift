import ChatCore
import EdgeCore
import Testing

@Suite struct `Names and texts` {
  @Test(arguments: [
    ("alice", "alice"), ("al%20ice", "al ice"), ("%E2%9C%93", "✓"), ("J%c3%b6rg", "Jörg"), ("a%2541", "a%41"),
  ])
  func `the edge's identity field is decoded`(field: String, name: String) {
    #expect(UserName(percentEncoded: field)?.text == name)
  }

  @Test(arguments: ["", "%", "%4", "%zz", "a b", "a\u{e9}", "%ff", "%00", "%0a", "%c2%85", "%E2%80%A8", "%ed%a0%80"])
  func `an identity field that is no clean name is refused`(field: String) {
    #expect(UserName(percentEncoded: field) == nil)
  }

  @Test func `a name has at most 256 bytes`() {
    #expect(UserName(String(repeating: "é", count: 128)) != nil)
    #expect(UserName(String(repeating: "é", count: 128) + "x") == nil)
  }

  @Test func `two names that look alike but have different bytes are two users`() throws {
    let composed = try #require(UserName("J\u{f6}rg"))
    let decomposed = try #require(UserName("Jo\u{308}rg"))
    #expect(composed.text == decomposed.text)
    #expect(composed != decomposed)
    #expect(Set([composed, decomposed]).count == 2)
  }

  @Test(arguments: ["lobby", "a", "Room-1_x.y", String(repeating: "r", count: 64)])
  func `a room name of plain characters is taken`(name: String) {
    #expect(RoomName(name)?.text == name)
  }

  @Test(arguments: ["", " ", "a b", "a/b", "é", "a\n", "a\u{0}", String(repeating: "r", count: 65)])
  func `any other room name is refused`(name: String) {
    #expect(RoomName(name) == nil)
  }

  @Test(arguments: ["hello", "two\nlines", "tab\tbed", "👩‍👩‍👧", String(repeating: "x", count: 4_096), "\u{202e}rtl"])
  func `a text is taken as it is`(text: String) {
    #expect(MessageText(text)?.text == text)
  }

  @Test(arguments: [
    "", " ", "\n\t ", "\u{2003}", "a\u{0}", "a\r\nb", "\u{1b}[1m", "\u{7f}", String(repeating: "x", count: 4_097),
  ])
  func `an empty, too long or unclean text is refused`(text: String) {
    #expect(MessageText(text) == nil)
  }

  @Test(arguments: [UInt64.min, 1, .max, 0x8000_0000_0000_0000])
  func `a random process number is positive`(bits: UInt64) {
    #expect(NodeID(random: bits).rawValue > 0)
  }
}

@Suite struct `Backoff between attempts` {
  @Test func `waits double up to the longest and begin anew after a success`() {
    var backoff = Backoff(from: .milliseconds(10), to: .milliseconds(60))
    let bounds = (0..<5).map { _ in backoff.next(random: .max) }
    #expect(bounds.map { Int(($0.inSeconds * 1_000).rounded()) } == [10, 20, 40, 60, 60])
    backoff.reset()
    #expect(backoff.next(random: 0) == .milliseconds(5))
  }

  @Test func `it can be asked for ever`() {
    var backoff = Backoff(from: .nanoseconds(1), to: .seconds(3_600))
    for attempt in 0..<200 { #expect(backoff.next(random: UInt64(attempt)) <= .seconds(3_600)) }
  }
}
