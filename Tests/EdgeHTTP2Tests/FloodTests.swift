import EdgeCore
import EdgeHTTP
import EdgeHTTP2
import EdgePolicy
import Testing

/// Floods: what one client sends again and again. Each is run against the limits, and against a session that has none.
@Suite struct FloodTests {
  @Test(arguments: Flood.all)
  func `a flood ends its connection, and as much as its budget does not`(flood: Flood) throws {
    let pair = try TestPair()
    for round in 0..<flood.budget { flood.send(pair, round) }
    #expect(pair.goAwayCode == nil && !pair.server.hasBeenFlooded)
    flood.send(pair, flood.budget)
    pair.send(raw: [])
    #expect(pair.server.events.last { $0.isFlood } == .flooded(flood.kind))
    #expect(pair.goAwayCode == StreamError.enhanceYourCalm.rawValue)
    #expect(pair.server.isOver)
  }

  @Test(arguments: Flood.all)
  func `without the limits the same flood goes on`(flood: Flood) throws {
    let pair = try TestPair(floods: .none)
    for round in 0..<(3 * flood.budget) { flood.send(pair, round) }
    pair.send(raw: [])
    #expect(pair.goAwayCode == nil && !pair.server.hasBeenFlooded)
    #expect(!pair.server.isOver)
  }

  @Test func `a budget flows back with time`() throws {
    let pair = try TestPair()
    for _ in 0..<500 {
      pair.send(raw: ping)
      pair.now = pair.now + .milliseconds(100)
    }
    #expect(pair.server.events.isEmpty && pair.goAwayCode == nil)
  }

  @Test func `a flood is one however its bytes come`() throws {
    let pair = try TestPair()
    for byte in [[UInt8]](repeating: ping, count: 101).joined() { pair.send(raw: [byte]) }
    #expect(pair.server.events == [.flooded(.ping)])
  }

  @Test func `a head in as many frames as it may have can come byte by byte`() throws {
    let pair = try TestPair()
    var head = frame(1, flags: endStream, stream: 1, [0x82])
    for _ in 0..<7 { head += frame(9, stream: 1) }
    head += frame(9, flags: endHeaders, stream: 1, Array(postBlock.dropFirst()))
    for byte in head { pair.send(raw: [byte]) }
    #expect(pair.server.events == [.head(1, method: "GET", isWhole: true)])
  }

  @Test func `a head that becomes too large is refused`() throws {
    let pair = try TestPair()
    for round in 0..<2 { Flood.largeHeads.send(pair, round) }
    #expect(pair.server.events.contains(.refused(3, .headTooLarge)))
  }

  @Test func `a flood of one kind leaves the budgets of others alone`() throws {
    let pair = try TestPair()
    for flood in [Flood.pings, .priorities, .updates, .emptyData] {
      for round in 0..<flood.budget { flood.send(pair, round) }
    }
    #expect(!pair.server.hasBeenFlooded)
  }
}

/// What a client does again and again, and how often it may.
struct Flood: Sendable, CustomTestStringConvertible {
  let name: String
  let kind: FloodBudget.Kind
  let budget: Int
  /// Does it once more; rounds count from 0.
  let send: @Sendable (_ pair: TestPair, _ round: Int) -> Void

  var testDescription: String { name }

  static let all = [
    pings, settings, priorities, updates, emptyData, emptyDataOfTheGone, padding, takenBack, provokedResets, manyPieces,
    longHeads, largeHeads, unreadAnswers,
  ]

  static let pings = Flood(name: "PING", kind: .ping, budget: 100) { pair, _ in pair.send(raw: ping) }

  /// The client's own SETTINGS were the first.
  static let settings = Flood(name: "SETTINGS", kind: .settings, budget: 19) { pair, _ in pair.send(raw: frame(4)) }

  static let priorities = Flood(name: "PRIORITY", kind: .priority, budget: 1000) { pair, _ in
    pair.send(raw: frame(2, stream: 1, [0, 0, 0, 3, 1]))
  }

  static let updates = Flood(name: "WINDOW_UPDATE", kind: .windowUpdate, budget: 1000) { pair, _ in
    pair.send(raw: frame(8, [0, 0, 0, 1]))
  }

  static let emptyData = Flood(name: "DATA without data", kind: .emptyData, budget: 100) { pair, round in
    if round == 0 { pair.send(raw: frame(1, flags: endHeaders, stream: 1, postBlock)) }
    pair.send(raw: frame(0, stream: 1))
  }

  /// The library skips what comes on a stream that the edge has reset, and tells nothing of it.
  static let emptyDataOfTheGone = Flood(name: "DATA without data for nobody", kind: .emptyData, budget: 100) { pair, round in
    if round == 0 {
      pair.send(raw: frame(1, flags: endHeaders, stream: 1, postBlock))
      pair.server.reset(1, .cancel)
    }
    pair.send(raw: frame(0, stream: 1))
  }

  /// Each frame is all padding.
  static let padding = Flood(name: "DATA that is padding", kind: .emptyData, budget: 100) { pair, round in
    if round == 0 { pair.send(raw: frame(1, flags: endHeaders, stream: 1, postBlock)) }
    pair.send(raw: frame(0, flags: padded, stream: 1, [2, 0, 0]))
  }

  /// Requests that are taken back at once (CVE-2023-44487).
  static let takenBack = Flood(name: "rapid reset", kind: .resetReceived, budget: 300) { pair, round in
    pair.send(raw: frame(1, flags: endHeaders, stream: stream(round), postBlock) + frame(3, stream: stream(round), [0, 0, 0, 8]))
  }

  /// A window beyond all bounds is an error of its stream (RFC 9113 §6.9.1), which is how a client makes a server reset
  /// (CVE-2025-8671).
  static let provokedResets = Flood(name: "resets that we are made to send", kind: .resetProvoked, budget: 100) { pair, round in
    let overflow = frame(8, stream: stream(round), [0x7f, 0xff, 0xff, 0xff])
    pair.send(raw: frame(1, flags: endHeaders, stream: stream(round), postBlock) + overflow)
  }

  /// Heads that each go on in three frames.
  static let manyPieces = Flood(name: "heads in pieces", kind: .continuation, budget: 33) { pair, round in
    pair.server.answers = true
    let pieces = frame(9, stream: stream(round), [0x87]) + frame(9, stream: stream(round), [0x84])
    pair.send(
      raw: frame(1, flags: endStream, stream: stream(round), [0x82]) + pieces
        + frame(9, flags: endHeaders, stream: stream(round), [0x41, 1, 0x61]))
  }

  /// One head that goes on and on (CVE-2024-28182).
  static let longHeads = Flood(name: "CONTINUATION", kind: .continuation, budget: 8) { pair, round in
    if round == 0 { pair.send(raw: frame(1, stream: 1, [0x82])) }
    pair.send(raw: frame(9, stream: 1))
  }

  /// An entry of 3 KB goes into the table once, and is then named again and again by a byte.
  static let largeHeads = Flood(name: "header table", kind: .headerTable, budget: 21) { pair, round in
    let large: [UInt8] = [0x40, 1, 0x61, 0x7f, 0xb9, 0x16] + [UInt8](repeating: 0x62, count: 3000)
    let named = [UInt8](repeating: 0xbe, count: 16_000)
    pair.send(
      raw: frame(
        1, flags: endHeaders | endStream, stream: stream(round),
        round == 0 ? postBlock + large : Array(postBlock.prefix(3)) + named))
  }

  /// So slow that it is no flood of PINGs.
  static let unreadAnswers = Flood(name: "answers that nobody reads", kind: .unreadAnswer, budget: 128) { pair, _ in
    pair.now = pair.now + .seconds(1)
    pair.server.receive(ping.span, now: pair.now)
  }
}

extension TestServer {
  var hasBeenFlooded: Bool { events.contains { $0.isFlood } }
}

extension TestServer.Event {
  fileprivate var isFlood: Bool { if case .flooded = self { true } else { false } }
}

private func stream(_ round: Int) -> UInt32 { UInt32(2 * round + 1) }

private let ping = frame(6, [UInt8](repeating: 1, count: 8))
private let endStream: UInt8 = 1
private let endHeaders: UInt8 = 4
private let padded: UInt8 = 8
/// POST, https, / and an authority, which goes into the table.
private let postBlock: [UInt8] = [0x83, 0x87, 0x84, 0x41, 1, 0x61]
