import EdgeCore
import Testing

@testable import EdgeAdmin

@Suite struct `A selection of connections` {
  @Test(arguments: ConnectionQuery.Sort.allCases, [false, true])
  func `is what sorting all of them would give, however they are spread over reactors`(
    sort: ConnectionQuery.Sort, isDescending: Bool
  ) throws {
    for seed in 1...20 as ClosedRange<UInt64> {
      var random = Random(seed: seed)
      let all = connections(300, &random)
      var query = ConnectionQuery()
      (query.sort, query.isDescending, query.limit) = (sort, isDescending, Int.random(in: 1...40, using: &random))
      if seed.isMultiple(of: 3) { query.filter.route = "chat" }
      if seed.isMultiple(of: 2), let place = all.randomElement(using: &random) {
        query.cursor = ConnectionQuery.Cursor(sort: sort, isDescending: isDescending, of: place)
      }
      let parts = all.reduce(into: [[ConnectionSummary]](repeating: [], count: 3)) { parts, connection in
        parts[Int.random(in: 0..<3, using: &random)].append(connection)
      }
      var selection = ConnectionSelection(query, now: present)
      for part in parts {
        var share = ConnectionSelection(query, now: present)
        for connection in part { share.consider(connection) }
        selection.add(share)
      }
      let ids = selection.ids
      #expect(selection.page(of: all.filter { ids.contains($0.id) }) == obvious(query, all))
    }
  }

  @Test func `counts those of the states that were asked for`() {
    var closed = summary(3)
    closed.end = .init(at: present, code: 1000, reason: "", initiator: .client)
    var query = ConnectionQuery()
    for (state, total) in [(ConnectionQuery.StateFilter.open, 2), (.closed, 1), (.any, 3)] {
      query.state = state
      #expect(query.page(of: [summary(1), summary(2), closed], now: present).total == total)
    }
  }

  /// Everything, filtered, sorted and cut.
  private func obvious(_ query: ConnectionQuery, _ all: [ConnectionSummary]) -> ConnectionPage {
    func place(_ connection: ConnectionSummary) -> ConnectionQuery.Cursor {
      ConnectionQuery.Cursor(sort: query.sort, isDescending: query.isDescending, of: connection)
    }
    let matched = all.filter { query.filter.matches($0, now: present.instant) }
    let rest = matched.filter { connection in query.cursor.map { $0.precedes(place(connection)) } ?? true }
      .sorted { place($0).precedes(place($1)) }
    let shown = Array(rest.prefix(query.limit))
    return ConnectionPage(
      now: present, total: all.count, matched: matched.count,
      nextCursor: rest.count > shown.count ? shown.last.map { place($0).description } : nil, connections: shown)
  }

  private func connections(_ count: UInt64, _ random: inout Random) -> [ConnectionSummary] {
    (1...count).map { serial in
      var connection = summary(
        serial, user: "u\(random.next() % 7)", route: random.next() % 2 == 0 ? "chat" : "feed",
        opened: Int64(random.next() % 50))
      connection.received = .init(messages: random.next() % 9, bytes: random.next() % 900)
      connection.queuedBytes = Int(random.next() % 3)
      connection.lastMessage = instant(1_000 + Int64(random.next() % 100))
      return connection
    }
  }
}

@Suite struct `A filter of connections` {
  @Test func `means those that have all that it names`() {
    var connection = summary(1, user: "alice", address: "10.1.1.1")
    connection.lastMessage = instant(1_900)
    connection.isThrottled = true
    #expect(ConnectionFilter().matches(connection, now: present.instant))
    let changes: [(String, (inout ConnectionFilter, Bool) -> Void)] = [
      ("user", { $0.user = $1 ? "alice" : "Alice" }), ("ip", { $0.addresses = CIDR($1 ? "10.0.0.0/8" : "11.0.0.0/8") }),
      ("route", { $0.route = $1 ? "chat" : "cha" }), ("worker", { $0.worker = $1 ? "/run/chat/1.sock" : "1.sock" }),
      ("origin", { $0.origin = $1 ? "https://chat.example.com" : "https://chat.example.org" }),
      ("throttled", { $0.isThrottled = $1 }), ("idle_gt", { $0.idleLongerThan = .seconds($1 ? 99 : 100) }),
      ("age_gt", { $0.olderThan = .seconds($1 ? 999 : 1_000) }),
      ("ids", { $0.ids = [ConnectionID(reactor: 0, serial: $1 ? 1 : 2)] }),
    ]
    var all = ConnectionFilter()
    for (name, change) in changes {
      change(&all, true)
      #expect(all.matches(connection, now: present.instant), "\(name)")
      var filter = ConnectionFilter()
      change(&filter, false)
      #expect(!filter.matches(connection, now: present.instant), "\(name)")
      #expect(!filter.isEmpty)
    }
  }

  @Test func `takes texts byte by byte`() {
    var filter = ConnectionFilter()
    filter.user = "e\u{301}"
    #expect(!filter.matches(summary(1, user: "\u{e9}"), now: present.instant))
  }

  @Test func `takes a connection that is over as it was at its end`() {
    var connection = summary(1)
    connection.state = .closed
    connection.end = .init(at: moment(1_010), code: 1000, reason: "", initiator: .client)
    var filter = ConnectionFilter()
    filter.olderThan = .seconds(10)
    #expect(!filter.matches(connection, now: present.instant))
    filter.olderThan = .seconds(9)
    #expect(filter.matches(connection, now: present.instant))
  }

  @Test(
    arguments: [
      ("30s", 30_000), ("30", 30_000), ("0", 0), ("250ms", 250), ("5m", 300_000), ("2h", 7_200_000), ("1d", 86_400_000),
      ("", nil), ("s", nil), ("-1", nil), ("1.5s", nil), ("+1", nil), ("1w", nil), ("9223372036854775807", nil),
      ("99999999999999999999", nil),
    ] as [(String, Int64?)])
  func `reads durations with a unit, and numbers as seconds`(text: String, milliseconds: Int64?) {
    #expect(duration(text) == milliseconds.map { .milliseconds($0) })
  }
}

/// Numbers that a seed repeats (SplitMix64).
private struct Random: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }
}
