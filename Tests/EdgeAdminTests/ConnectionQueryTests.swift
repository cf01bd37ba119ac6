import EdgeCore
import Testing

@testable import EdgeAdmin

@Suite struct `Queries for connections` {
  @Test(arguments: [
    "limit=0", "limit=1001", "limit=x", "limit=-1", "limit=+1", "limit=", "limit=5&limit=5", "sort=age", "sort=", "order=up",
    "state=dead",
    "ip=banana", "ip=10.0.0.0/33", "ip=", "cursor=x", "cursor=opened.asc.1.1", "cursor=opened.desc.1.\(firstID)",
    "cursor=user.asc.61.\(firstID)", "cursor=user.asc.6.\(firstID)&sort=user", "cursor=user.asc.ff.\(firstID)&sort=user",
    "who=me",
    "user=%", "user=%4", "user=%zz", "user=%ff", "user=%c0%80", "=", "Limit=5",
  ])
  func `are refused when a parameter is wrong, unknown or given twice`(text: String) throws {
    let problem = #expect(throws: AdminProblem.self) { _ = try ConnectionQuery(text[...]) }
    #expect(problem?.status == 400)
  }

  @Test func `are read from all parameters`() throws {
    let query = try ConnectionQuery(
      "limit=5&sort=user&order=desc&state=any&user=al%20ice+b%2B&ip=10.0.0.0%2F8&route=chat&worker=/run/1.sock"
        + "&&cursor=user.desc.61.\(firstID)"
    )
    #expect(query.limit == 5 && query.sort == .user && query.isDescending && query.state == .any)
    #expect(query.filter.user == "al ice b+")
    #expect(query.filter.addresses == CIDR("10.0.0.0/8"))
    #expect(query.filter.route == "chat" && query.filter.worker == "/run/1.sock")
    #expect(query.cursor?.description == "user.desc.61.\(firstID)")
    #expect(try ConnectionQuery("") == ConnectionQuery())
  }

  @Test func `filter by what they name`() {
    var closed = summary(3, user: "carol", address: "10.1.1.1", route: "feed")
    closed.end = .init(at: present, code: 1000, reason: "", initiator: .client)
    var closing = summary(4, user: "dave", address: "2001:db8::5")
    closing.state = .closing
    let all = [summary(1, user: "alice"), summary(2), closed, closing]
    #expect(serials(all) { _ in } == [1, 2, 4])
    #expect(serials(all) { $0.state = .closed } == [3])
    #expect(serials(all) { $0.state = .any } == [1, 2, 3, 4])
    #expect(serials(all) { $0.filter.user = "alice" } == [1])
    #expect(
      serials(all) {
        $0.filter.route = "feed"
        $0.state = .any
      } == [3])
    #expect(serials(all) { $0.filter.addresses = CIDR("2001:db8::/32") } == [4])
    #expect(serials(all) { $0.filter.addresses = CIDR("192.0.2.0/24") } == [1, 2])
    #expect(serials(all) { $0.filter.worker = "/other.sock" } == [])
  }

  @Test func `sort by every key, equal ones by identifier`() {
    var all = (1...5 as ClosedRange<UInt64>).map { summary($0, user: $0 == 3 ? nil : "u\(6 - $0)", opened: Int64($0 % 2)) }
    all[4].received = .init(messages: 9, bytes: 100)
    all[0].sent = .init(messages: 1, bytes: 900)
    all[1].queuedBytes = 7
    all[2].lastMessage = instant(1)
    #expect(serials(all) { _ in } == [2, 4, 1, 3, 5])
    #expect(serials(all) { $0.isDescending = true } == [5, 3, 1, 4, 2])
    #expect(
      serials(all) {
        $0.sort = .messages
        $0.isDescending = true
      } == [5, 1, 4, 3, 2])
    #expect(
      serials(all) {
        $0.sort = .bytes
        $0.isDescending = true
      } == [1, 5, 4, 3, 2])
    #expect(serials(all) { $0.sort = .queued } == [1, 3, 4, 5, 2])
    #expect(serials(all) { $0.sort = .active }.first == 3)
    #expect(serials(all) { $0.sort = .user } == [3, 5, 4, 2, 1])
  }

  @Test(arguments: ConnectionQuery.Sort.allCases, [false, true])
  func `pages show each connection once, whatever the order`(sort: ConnectionQuery.Sort, isDescending: Bool) throws {
    let all = (1...23 as ClosedRange<UInt64>).map { serial in
      var connection = summary(serial, user: "u\(serial % 3)", opened: Int64(serial % 4))
      connection.sent = .init(messages: serial % 5, bytes: serial % 2)
      return connection
    }
    var whole = ConnectionQuery()
    (whole.sort, whole.isDescending) = (sort, isDescending)
    var seen: [ConnectionID] = []
    var cursor: String?
    repeat {
      let page = try ConnectionQuery(
        "limit=4&sort=\(sort.rawValue)&order=\(isDescending ? "desc" : "asc")" + (cursor.map { "&cursor=\($0)" } ?? "")
      )
      .page(of: all.shuffled(), now: present)
      #expect(page.total == 23 && page.matched == 23 && page.connections.count <= 4)
      seen += page.connections.map(\.id)
      cursor = page.nextCursor
    } while cursor != nil && seen.count < 100
    #expect(seen == whole.page(of: all, now: present).connections.map(\.id))
    #expect(Set(seen).count == 23)
  }

  @Test func `a clock that was set back makes no negative age`() {
    let json = summary(1, opened: 5_000).json(now: present.instant)
    #expect(json["age_seconds"]?.numberValue == 0)
  }

  private func serials(_ all: [ConnectionSummary], _ change: (inout ConnectionQuery) -> Void) -> [UInt64] {
    var query = ConnectionQuery()
    change(&query)
    return query.page(of: all.reversed(), now: present).connections.map { $0.id.rawValue }
  }
}
