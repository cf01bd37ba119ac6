import EdgeAdmin
import EdgeCore
import EdgePolicy
import Synchronization
import Testing

@Suite struct `Rules over the admin API` {
  private let root = AdminPeer.unix(userID: 0)

  @Test func `a rule is made, found, listed and taken away`() throws {
    let backend = FakeBackend()
    let made = ask(backend, post(#"{"action":"ban","ip":"10.0.0.1","ttl_seconds":60,"reason":"spam"}"#), from: root)
    #expect(made.status == 201)
    #expect(field(made, "Location") == "/api/v1/rules/r1")
    let answer = try JSON(parsing: made.body)
    #expect(answer["persisted"] == true && answer["closed"] == 2)
    let rule = try #require(answer["rule"])
    #expect(rule["cidr"] == "10.0.0.1/32" && rule["reason"] == "spam" && rule["by"] == "uid:0")
    #expect(rule["expires"] == "1970-01-01T00:34:20.000Z")
    #expect(try JSON(parsing: ask(backend, get("/api/v1/rules/r1"), from: root).body) == rule)
    let list = try JSON(parsing: ask(backend, get("/api/v1/rules"), from: root).body)
    #expect(list.members?.map(\.name) == ["now", "total", "matched", "next_cursor", "rules"])
    #expect(list["rules"] == .array([rule]))
    let removed = ask(backend, remove("r1"), from: root)
    #expect(removed.status == 200)
    #expect(try JSON(parsing: removed.body) == ["id": "r1", "persisted": true])
    #expect(ask(backend, remove("r1"), from: root).status == 404)
    #expect(ask(backend, get("/api/v1/rules/r1"), from: root).status == 404)
  }

  @Test(arguments: [
    ("GET", "/api/v1/rules/x", 404), ("GET", "/api/v1/rules/", 404), ("GET", "/api/v1/rules?limit=0", 400),
    ("GET", "/api/v1/rules?cursor=x", 400), ("GET", "/api/v1/rules?action=kick", 400), ("GET", "/api/v1/rules?ip=x", 400),
    ("GET", "/api/v1/rules?surprise=1", 400), ("GET", "/api/v1/rules/r1?x=1", 400), ("DELETE", "/api/v1/rules", 405),
    ("PUT", "/api/v1/rules", 405), ("POST", "/api/v1/rules/r1", 405), ("POST", "/api/v1/rules?x=1", 400),
    ("DELETE", "/api/v1/rules/r1?x=1", 400), ("HEAD", "/api/v1/rules", 200),
  ])
  func `answers by method and path`(method: String, target: String, status: Int) {
    #expect(ask(FakeBackend(), AdminRequest(method: method, target: target), from: root).status == status)
  }

  @Test(arguments: [
    (#"{"action":"ban"}"#, 400, "user"), (#"{"action":"ban","user":"a","ttl_seconds":0}"#, 400, "ttl_seconds"),
    (#"{"action":"ban","user":"a","ttl_seconds":315360001}"#, 400, "ttl_seconds"),
    (#"{"action":"ban","user":"a","ttl_seconds":"60"}"#, 400, "ttl_seconds"),
    (#"{"action":"ban","user":"a","reason":"a\nb"}"#, 400, "reason"),
    (#"{"action":"ban","user":"a","auth":"nobody"}"#, 400, "auth"), (#"{"action":"ban","user":"a","more":1}"#, 400, "more"),
    (#"{"action":"revoke","cidr":"10.0.0.0/8"}"#, 400, "user"),
    (#"{"action":"revoke","user":"a","issued_before":"1970-01-01T00:33:21Z"}"#, 400, "issued_before"),
    (#"{"action":"ban","cidr":"0.0.0.0/0"}"#, 400, "all"), (#"{"action":"ban","cidr":"::/0"}"#, 400, "all"),
    (#"{"action":"revoke","issued_before":"1970-01-01T00:00:00Z"}"#, 400, "all"),
    (#"{"action":"ban","cidr":"0.0.0.0/0","all":1}"#, 400, "all"),
    (#"{"action":"throttle","user":"a"}"#, 400, "messages_per_second"),
    (#"{"action":"throttle","cidr":"::/0","bytes_per_second":5}"#, 400, "all"),
  ])
  func `an order that cannot be followed says which member is wrong, and changes nothing`(
    body: String, status: Int, member: String
  ) throws {
    let backend = FakeBackend()
    let answer = ask(backend, post(body), from: root)
    #expect(answer.status == status)
    #expect(try JSON(parsing: answer.body)["field"]?.stringValue == member)
    #expect(backend.state.withLock { $0.rules.count } == 0)
    #expect(backend.audits.map(\.status) == [status])
  }

  @Test(arguments: ["", "[]", "nonsense", "7"])
  func `a body that is no object is refused`(body: String) {
    #expect(ask(FakeBackend(), post(body), from: root).status == 400)
  }

  @Test func `the same order again is answered with the rule that is there`() throws {
    let backend = FakeBackend()
    _ = ask(backend, post(#"{"action":"ban","user":"a"}"#), from: root)
    let again = ask(backend, post(#"{"action":"ban","user":"a"}"#), from: root)
    #expect(again.status == 200)
    #expect(field(again, "Location") == "/api/v1/rules/r1")
  }

  @Test func `a rule that is not kept is answered as such`() throws {
    let backend = FakeBackend()
    backend.state.withLock { $0.isPersisted = false }
    #expect(try JSON(parsing: ask(backend, post(#"{"action":"ban","user":"a"}"#), from: root).body)["persisted"] == false)
    #expect(try JSON(parsing: ask(backend, remove("r1"), from: root).body)["persisted"] == false)
  }

  @Test func `a full table is a conflict`() {
    let backend = FakeBackend()
    let statuses = (0..<6).map { ask(backend, post(#"{"action":"ban","user":"u\#($0)"}"#), from: root).status }
    #expect(statuses == [201, 201, 201, 201, 201, 409])
  }

  @Test func `operators ban, and only admins ban whole families or log everybody out`() throws {
    for (token, user, family) in [("view", 403, 403), ("oper", 201, 403), ("boss", 201, 201)] {
      let backend = FakeBackend()
      for (body, status) in [
        (#"{"action":"ban","user":"a"}"#, user), (#"{"action":"ban","cidr":"0.0.0.0/0","all":true}"#, family),
        (#"{"action":"revoke","issued_before":"1970-01-01T00:00:00Z","all":true}"#, family),
      ] {
        #expect(try answer(backend, post(body), token: token).status == status, "\(token) \(body)")
      }
    }
  }

  @Test func `who asks is not banned by mistake`() throws {
    let backend = FakeBackend()
    #expect(try answer(backend, post(#"{"action":"ban","cidr":"127.0.0.0/8"}"#), token: "boss").status == 400)
    #expect(try answer(backend, post(#"{"action":"ban","cidr":"127.0.0.0/8","all":true}"#), token: "boss").status == 201)
    #expect(try answer(backend, post(#"{"action":"ban","cidr":"128.0.0.0/8"}"#), token: "boss").status == 201)
  }

  @Test func `leaves an audit record, done or refused`() {
    let backend = FakeBackend()
    _ = ask(backend, post(#"{"action":"ban","user":"a","reason":"spam"}"#), from: root)
    _ = ask(backend, post("{}"), from: root)
    _ = ask(backend, remove("r1"), from: root)
    _ = ask(backend, remove("r1"), from: root)
    #expect(backend.audits.map(\.status) == [201, 400, 200, 404])
    #expect(backend.audits.map(\.action) == ["rule.add", "rule.add", "rule.remove", "rule.remove"])
    #expect(backend.audits.map(\.target) == ["r1", "rules", "r1", "r1"])
    #expect(backend.audits.first?.detail == ["action": "ban", "user": "a", "ttl_seconds": nil, "reason": "spam", "closed": 2])
  }

  @Test func `pages follow one another by name, whatever comes or goes`() throws {
    let backend = FakeBackend()
    for number in 0..<4 { _ = ask(backend, post(#"{"action":"ban","ip":"10.0.0.\#(number)"}"#), from: root) }
    let first = try JSON(parsing: ask(backend, get("/api/v1/rules?limit=2"), from: root).body)
    #expect(first["next_cursor"] == "r2" && first["matched"] == 4)
    _ = ask(backend, remove("r2"), from: root)
    _ = ask(backend, remove("r3"), from: root)
    let second = try JSON(parsing: ask(backend, get("/api/v1/rules?limit=2&cursor=r2"), from: root).body)
    #expect(second["rules"]?.arrayValue?.compactMap { $0["id"]?.stringValue } == ["r4"])
    #expect(second["next_cursor"]?.isNull == true)
  }

  @Test(arguments: [
    ("action=revoke", ["r3"]), ("user=a", ["r1", "r3"]), ("user=A", []), ("ip=10.1.2.3", ["r2"]), ("ip=10.1.0.0/16", ["r2"]),
    ("ip=0.0.0.0/0", ["r2"]), ("ip=::/0", []), ("ip=11.0.0.0/8", []), ("user=a&action=ban", ["r1"]),
  ])
  func `are filtered by action, user and block`(query: String, ids: [String]) throws {
    let backend = FakeBackend()
    for body in [
      #"{"action":"ban","user":"a"}"#, #"{"action":"ban","cidr":"10.0.0.0/8"}"#, #"{"action":"revoke","user":"a"}"#,
    ] { _ = ask(backend, post(body), from: root) }
    let page = try JSON(parsing: ask(backend, get("/api/v1/rules?\(query)"), from: root).body)
    #expect(page["rules"]?.arrayValue?.compactMap { $0["id"]?.stringValue } == ids)
  }

  private func get(_ target: String) -> AdminRequest { AdminRequest(method: "GET", target: target) }

  private func remove(_ id: String) -> AdminRequest { AdminRequest(method: "DELETE", target: "/api/v1/rules/\(id)") }

  private func post(_ body: String) -> AdminRequest {
    AdminRequest(
      method: "POST", target: "/api/v1/rules", fields: [(name: "Content-Type", value: "application/json")],
      body: Array(body.utf8))
  }

  /// What a peer on TCP is answered who shows a token.
  private func answer(_ backend: FakeBackend, _ request: AdminRequest, token: String) throws -> AdminResponse {
    var request = request
    request.fields += host + [(name: "Authorization", value: "Bearer \(token)")]
    return api(backend, tokens: try tokens()).respond(to: request, from: loopback, scope: .full, now: Instant(nanoseconds: 0))
  }
}
