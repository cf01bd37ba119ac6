import EdgeCore
import EdgePolicy
import Synchronization
import Testing

@testable import EdgeAdmin

@Suite struct `Closing many connections` {
  @Test(
    arguments: [
      (#"{"selector":{"user":"alice"}}"#, ["\(firstID) 4403 kicked"]),
      (#"{"selector":{"ids":["\#(firstID)"]},"code":4001,"reason":"bye"}"#, ["\(firstID) 4001 bye"]),
      (#"{"selector":{"user":"nobody"}}"#, []), (#"{"selector":{"ip":"10.0.0.0/8"}}"#, []),
      (#"{"selector":{"throttled":true}}"#, []), (#"{"selector":{"age_gt":"1000s","route":"chat"}}"#, []),
      (#"{"selector":{"idle_gt":999,"user":"bob","origin":null}}"#, ["0000000000000002 4403 kicked"]),
      (#"{"all":true,"code":1012}"#, ["\(firstID) 1012 kicked", "0000000000000002 1012 kicked"]),
      (#"{"selector":{},"all":true,"dry_run":true}"#, []),
    ] as [(String, [String])])
  func `closes those whom the selector means`(body: String, closed: [String]) throws {
    let backend = FakeBackend()
    let answer = ask(backend, disconnect(body), from: .unix(userID: 0))
    #expect(answer.status == 200)
    #expect(backend.disconnects == closed)
    let json = try JSON(parsing: answer.body)
    #expect(json.members?.map(\.name) == ["matched", "closed", "job"] && json["job"] == .null)
    #expect(json["closed"] == .integer(Int64(closed.count)))
  }

  @Test func `counts without closing in a rehearsal`() throws {
    let backend = FakeBackend()
    let answer = ask(backend, disconnect(#"{"selector":{"route":"chat"},"dry_run":true}"#), from: .unix(userID: 0))
    #expect(try JSON(parsing: answer.body) == ["matched": 2, "closed": 0, "job": nil])
    #expect(backend.disconnects.isEmpty)
  }

  @Test(arguments: [
    ("", "selector"), ("{}", "selector"), (#"{"selector":{}}"#, "selector"), (#"{"selector":[]}"#, "selector"),
    (#"{"selector":{"ids":[]}}"#, "selector.ids"), (#"{"selector":{"ids":["x"]}}"#, "selector.ids"),
    (#"{"selector":{"ip":"x"}}"#, "selector.ip"), (#"{"selector":{"user":1}}"#, "selector.user"),
    (#"{"selector":{"throttled":"yes"}}"#, "selector.throttled"), (#"{"selector":{"idle_gt":-1}}"#, "selector.idle_gt"),
    (#"{"selector":{"age_gt":"old"}}"#, "selector.age_gt"), (#"{"selector":{"name":"x"}}"#, "selector.name"),
    (#"{"all":true,"rate_per_second":0}"#, "rate_per_second"), (#"{"all":true,"rate_per_second":10001}"#, "rate_per_second"),
    (#"{"all":true,"rate_per_second":1.5}"#, "rate_per_second"), (#"{"all":true,"dry_run":1}"#, "dry_run"),
    (#"{"all":1}"#, "all"), (#"{"all":true,"code":1005}"#, "code"), (#"{"all":true,"who":1}"#, "who"),
  ])
  func `names the member that is wrong`(body: String, member: String) throws {
    let backend = FakeBackend()
    let answer = ask(backend, disconnect(body), from: .unix(userID: 0))
    #expect(answer.status == 400)
    #expect(try JSON(parsing: answer.body)["field"]?.stringValue == member)
    #expect(backend.disconnects.isEmpty)
  }

  @Test func `needs an admin for everybody`() throws {
    let backend = FakeBackend()
    let operators = [(name: "Authorization", value: "Bearer oper")]
    let api = api(backend, tokens: try tokens())
    for (body, status) in [(#"{"all":true}"#, 403), (#"{"selector":{},"all":true,"dry_run":true}"#, 403)] {
      let answer = api.respond(
        to: disconnect(body, fields: host + operators), from: loopback, scope: .full, now: Instant(nanoseconds: 0))
      #expect(answer.status == status)
    }
    let some = disconnect(#"{"selector":{"user":"alice"},"all":true}"#, fields: host + operators)
    #expect(api.respond(to: some, from: loopback, scope: .full, now: Instant(nanoseconds: 0)).status == 200)
    #expect(backend.disconnects.count == 1)
  }

  @Test func `goes on as an order of its own where it has a pace, which can be watched and stopped`() throws {
    let backend = FakeBackend()
    let began = ask(backend, disconnect(#"{"selector":{"route":"chat"},"rate_per_second":5}"#), from: .unix(userID: 0))
    #expect(began.status == 202)
    #expect(field(began, "Location") == "/api/v1/connections/disconnect/d1")
    #expect(try JSON(parsing: began.body) == ["matched": 2, "closed": 1, "job": "d1"])
    let seen = try JSON(parsing: ask(backend, job("GET", "d1"), from: .unix(userID: 0)).body)
    #expect(
      seen.members?.map(\.name) == ["job", "matched", "closed", "gone", "remaining", "done", "began_at", "ended_at"])
    #expect(seen["remaining"] == 1 && seen["done"] == false && seen["ended_at"] == .null)
    let stopped = try JSON(parsing: ask(backend, job("DELETE", "d1"), from: .unix(userID: 0)).body)
    #expect(stopped["done"] == true && stopped["ended_at"]?.stringValue != nil)
    for method in ["GET", "DELETE"] { #expect(ask(backend, job(method, "d2"), from: .unix(userID: 0)).status == 404) }
    _ = ask(backend, disconnect(#"{"all":true,"rate_per_second":5}"#), from: .unix(userID: 0))
    let full = ask(backend, disconnect(#"{"all":true,"rate_per_second":5}"#), from: .unix(userID: 0))
    #expect(full.status == 409)
  }

  @Test func `leaves an audit record that says who was meant and how many that were`() {
    let backend = FakeBackend()
    _ = ask(
      backend, disconnect(#"{"selector":{"user":"alice","ids":["\#(firstID)"]},"reason":"spam"}"#), from: .unix(userID: 0))
    _ = ask(backend, disconnect("{}"), from: .unix(userID: 0))
    let audits = backend.audits
    #expect(audits.map(\.action) == ["connections.disconnect", "connections.disconnect"])
    #expect(audits.map(\.status) == [200, 400])
    #expect(
      audits.first?.detail == [
        "selector": ["user": "alice", "ids": 1], "code": 4403, "reason": "spam", "rate_per_second": nil, "dry_run": false,
        "matched": 1, "closed": 1,
      ])
  }
}

@Suite struct `A throttle of one connection` {
  @Test func `shows in the connection until it is taken away`() throws {
    let backend = FakeBackend()
    let put = throttle(#"{"messages_per_second":5,"burst":10,"bytes_per_second":1000,"ttl_seconds":60}"#)
    let json = try JSON(parsing: ask(backend, put, from: .unix(userID: 0)).body)
    let shown: JSON = [
      "messages_per_second": 5, "burst": 10, "bytes_per_second": 1000, "until": "1970-01-01T00:34:20.000Z",
    ]
    #expect(json["id"]?.stringValue == firstID && json["throttle"] == shown)
    let delete = AdminRequest(method: "DELETE", target: "/api/v1/connections/\(firstID)/throttle")
    #expect(try JSON(parsing: ask(backend, delete, from: .unix(userID: 0)).body)["throttle"] == .null)
    #expect(backend.audits.map(\.action) == ["connection.throttle", "connection.unthrottle"])
  }

  @Test(arguments: [
    ("", "messages_per_second"), ("{}", "messages_per_second"), (#"{"messages_per_second":0}"#, "messages_per_second"),
    (#"{"messages_per_second":"5/s"}"#, "messages_per_second"), (#"{"bytes_per_second":5,"burst":1}"#, "burst"),
    (#"{"messages_per_second":5,"ttl_seconds":0}"#, "ttl_seconds"), (#"{"messages_per_second":5,"user":"x"}"#, "user"),
  ])
  func `names the member that is wrong`(body: String, member: String) throws {
    let answer = ask(FakeBackend(), throttle(body), from: .unix(userID: 0))
    #expect(answer.status == 400)
    #expect(try JSON(parsing: answer.body)["field"]?.stringValue == member)
  }

  @Test func `is of a connection that there is`() {
    #expect(
      ask(FakeBackend(), throttle(#"{"messages_per_second":5}"#, id: "00000000000000ff"), from: .unix(userID: 0)).status == 404)
    #expect(ask(FakeBackend(), throttle(#"{"messages_per_second":5}"#, id: "x"), from: .unix(userID: 0)).status == 404)
  }
}

@Suite struct `Top talkers` {
  @Test func `come by what they said since the last look, or over all where there was none`() throws {
    let backend = FakeBackend()
    var (old, new) = (Talker(), Talker())
    (old.connections, old.received.messages, old.recent) = (2, 1_000, 1)
    (new.connections, new.received.messages, new.recent) = (1, 20, 20)
    backend.state.withLock { $0.talkers = ["old": old, "new": new, "none": Talker()] }
    #expect(try keys(backend, "by=user") == ["old", "new", "none"])
    backend.state.withLock { $0.window = .seconds(10) }
    #expect(try keys(backend, "by=user&limit=2") == ["new", "old"])
    let answer = try JSON(parsing: ask(backend, top("by=ip"), from: .unix(userID: 0)).body)
    #expect(answer["by"] == "ip" && answer["window_seconds"]?.numberValue == 10)
    #expect(answer["top"]?.arrayValue?.first?["messages_in_per_second"]?.numberValue == 2)
  }

  @Test(arguments: ["", "by=route", "by=ip&limit=0", "by=ip&limit=1001", "by=ip&who=x"])
  func `are refused where the question is wrong`(query: String) {
    #expect(ask(FakeBackend(), top(query), from: .unix(userID: 0)).status == 400)
  }

  private func keys(_ backend: FakeBackend, _ query: String) throws -> [String?]? {
    try JSON(parsing: ask(backend, top(query), from: .unix(userID: 0)).body)["top"]?.arrayValue?.map { $0["key"]?.stringValue }
  }

  private func top(_ query: String) -> AdminRequest { AdminRequest(method: "GET", target: "/api/v1/top?\(query)") }
}

private func disconnect(_ body: String, fields: [(name: String, value: String)] = []) -> AdminRequest {
  AdminRequest(
    method: "POST", target: "/api/v1/connections/disconnect",
    fields: fields + [(name: "Content-Type", value: "application/json")], body: Array(body.utf8))
}

private func job(_ method: String, _ name: String) -> AdminRequest {
  AdminRequest(method: method, target: "/api/v1/connections/disconnect/\(name)")
}

private func throttle(_ body: String, id: String = firstID) -> AdminRequest {
  AdminRequest(
    method: "PUT", target: "/api/v1/connections/\(id)/throttle", fields: [(name: "Content-Type", value: "application/json")],
    body: Array(body.utf8))
}
