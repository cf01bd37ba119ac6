import EdgeAdmin
import EdgeCore
import EdgeTelemetry
import Synchronization
import Testing

@Suite struct `The admin API` {
  @Test(arguments: [
    ("GET", "/livez", 200), ("HEAD", "/livez", 200), ("GET", "/readyz", 200), ("GET", "/metrics", 200), ("POST", "/livez", 405),
    ("GET", "/api/v1/status", 200), ("GET", "/api/v1/workers", 200), ("GET", "/api/v1/connections", 200),
    ("HEAD", "/api/v1/connections", 200), ("GET", "/api/v1/connections/\(firstID)", 200),
    ("GET", "/api/v1/connections/00000000000000ff", 404), ("GET", "/api/v1/connections/1", 404),
    ("GET", "/api/v1/connections/", 404), ("GET", "/api/v1/connections/\(firstID)/", 404), ("GET", "/api/v1/", 404),
    ("GET", "/", 200), ("GET", "", 404), ("GET", "*", 404), ("GET", "//livez", 404), ("GET", "/livez/../metrics", 404),
    ("GET", "/%6divez", 404), ("GET", "http://localhost/livez", 404), ("GET", "/livez?x=1", 400),
    ("GET", "/api/v1/status?%", 400),
    ("POST", "/api/v1/connections", 405), ("DELETE", "/api/v1/connections", 405), ("PUT", "/api/v1/connections/\(firstID)", 405),
    ("DELETE", "/metrics", 405), ("get", "/livez", 405), ("OPTIONS", "/api/v1/status", 405), ("TRACE", "/livez", 405),
    ("GET", "/api/v1/connections/disconnect", 405), ("DELETE", "/api/v1/connections/disconnect", 405),
    ("DELETE", "/api/v1/connections/\(firstID)", 200), ("DELETE", "/api/v1/connections/00000000000000ff", 404),
  ])
  func `answers by method and path`(method: String, target: String, status: Int) {
    let answer = ask(FakeBackend(), AdminRequest(method: method, target: target), from: .unix(userID: 0))
    #expect(answer.status == status)
    #expect(status < 400 || field(answer, "Content-Type") == "application/problem+json")
    #expect((status == 405) == (field(answer, "Allow") != nil))
  }

  @Test func `a problem says in a word and a sentence what is wrong`() throws {
    let answer = ask(FakeBackend(), AdminRequest(method: "GET", target: "/nothing"), from: .unix(userID: 0))
    let problem = try JSON(parsing: answer.body)
    #expect(problem["status"] == 404)
    #expect(problem["title"] == "Not Found")
    #expect(problem["error"] == "not_found")
    #expect(problem["detail"]?.stringValue?.isEmpty == false)
  }

  @Test(arguments: [
    ("/api/v1/connections/7", "no_such_connection", "16 hexadecimal digits"), ("/api/v1/rules/x", "no_such_rule", "such as r1"),
  ])
  func `what is no identifier is told what one looks like`(target: String, word: String, hint: String) throws {
    let answer = ask(FakeBackend(), AdminRequest(method: "GET", target: target), from: .unix(userID: 0))
    let problem = try JSON(parsing: answer.body)
    #expect(problem["status"] == 404)
    #expect(problem["error"] == .string(word))
    #expect(problem["detail"]?.stringValue?.contains(hint) == true)
  }

  @Test func `readiness follows the edge`() {
    let backend = FakeBackend()
    backend.state.withLock { $0.readiness = .notReady("draining") }
    let answer = ask(backend, AdminRequest(method: "GET", target: "/readyz"))
    #expect(answer.status == 503)
    #expect(answer.body == Array("draining\n".utf8))
    backend.state.withLock { $0.isLive = false }
    #expect(ask(backend, AdminRequest(method: "GET", target: "/livez")).status == 503)
  }

  @Test func `a scraper gets the format it asks for`() {
    let request = AdminRequest(method: "GET", target: "/metrics", fields: host + [("Accept", "application/openmetrics-text")])
    let answer = ask(FakeBackend(), request)
    #expect(field(answer, "Content-Type") == ExpositionFormat.openMetrics.contentType)
    #expect(String(decoding: answer.body, as: UTF8.self).hasSuffix("# EOF\n"))
  }

  @Test(arguments: [(AdminBackendError.timeout, "timeout"), (.stopping, "stopping")])
  func `an edge that does not answer is a 503`(error: AdminBackendError, word: String) throws {
    let backend = FakeBackend()
    backend.state.withLock { $0.error = error }
    for target in ["/metrics", "/api/v1/status", "/api/v1/workers", "/api/v1/connections", "/api/v1/connections/\(firstID)"] {
      let answer = ask(backend, AdminRequest(method: "GET", target: target), from: .unix(userID: 0))
      #expect(answer.status == 503)
      #expect(try JSON(parsing: answer.body)["error"]?.stringValue == word)
    }
    #expect(ask(backend, delete(), from: .unix(userID: 0)).status == 503)
    #expect(ask(backend, AdminRequest(method: "GET", target: "/livez")).status == 200)
  }

  @Test func `a list of connections has the members of the contract`() throws {
    let answer = ask(FakeBackend(), AdminRequest(method: "GET", target: "/api/v1/connections?user=alice"), from: .unix(userID: 0))
    let page = try JSON(parsing: answer.body)
    #expect(page.members?.map(\.name) == ["now", "total", "matched", "next_cursor", "connections"])
    #expect(page["total"] == 2)
    #expect(page["matched"] == 1)
    let connection = try #require(page["connections"]?.arrayValue?.first)
    #expect(connection["id"]?.stringValue == firstID)
    #expect(connection["user"] == "alice")
    #expect(connection["client_address"] == "192.0.2.1")
    #expect(connection["age_seconds"]?.numberValue == 1_000)
    #expect(connection["opened_at"] == "1970-01-01T00:16:40.000Z")
  }
}

@Suite struct `Closing a connection` {
  @Test(
    arguments: [
      (nil, "4403 kicked"), ("{}", "4403 kicked"), (#"{"code":1008}"#, "1008 kicked"),
      (#"{"code":4000,"reason":"über"}"#, "4000 über"), (#"{"reason":""}"#, "4403 "),
      (#"{"code":null,"reason":null}"#, "4403 kicked"),
    ] as [(String?, String)])
  func `takes a code and a reason, or neither`(body: String?, said: String) {
    let backend = FakeBackend()
    #expect(ask(backend, delete(body: body), from: .unix(userID: 0)).status == 200)
    #expect(backend.disconnects == ["\(firstID) \(said)"])
  }

  @Test(arguments: [
    "[]", "null", "nonsense", #"{"code":"1008"}"#, #"{"code":1005}"#, #"{"code":1006}"#, #"{"code":999}"#, #"{"code":5000}"#,
    #"{"code":70000}"#, #"{"code":-1}"#, #"{"code":1e3}"#, #"{"reason":5}"#, #"{"reason":"a\nb"}"#,
    #"{"reason":"\u009b"}"#, #"{"code":1008,"code":1008}"#, #"{"code":1008,"all":true}"#, "{} {}", "[[[[[[]]]]]]",
    #"{"reason":"\#(String(repeating: "x", count: 124))"}"#,
  ])
  func `refuses any other body`(body: String) {
    let backend = FakeBackend()
    #expect(ask(backend, delete(body: body), from: .unix(userID: 0)).status == 400)
    #expect(backend.disconnects.isEmpty)
  }

  @Test(
    arguments: [
      ([], 415), ([("Content-Type", "text/plain")], 415), ([("Content-Type", "application/x-www-form-urlencoded")], 415),
      ([("Content-Type", "application/json"), ("Content-Type", "text/plain")], 415),
      ([("Content-Type", "application/jsonx")], 415),
      ([("content-type", "Application/JSON ; charset=utf-8")], 200),
    ] as [([(String, String)], Int)])
  func `a body must say that it is JSON`(fields: [(String, String)], status: Int) {
    var request = delete()
    request.body = Array("{}".utf8)
    request.fields = fields.map { (name: $0.0, value: $0.1) }
    #expect(ask(FakeBackend(), request, from: .unix(userID: 0)).status == status)
  }

  @Test func `leaves an audit record, done or refused`() throws {
    let backend = FakeBackend()
    _ = ask(backend, delete(body: #"{"code":1008,"reason":"spam"}"#), from: .unix(userID: 0))
    _ = ask(backend, delete(body: "x"), from: .unix(userID: 0))
    _ = ask(backend, delete(), from: .unix(userID: 33))
    let audits = backend.audits
    #expect(audits.map(\.status) == [200, 400, 403])
    #expect(audits.map { $0.who?.name } == ["uid:0", "uid:0", nil])
    #expect(audits.allSatisfy { $0.action == "connection.disconnect" && $0.target == firstID })
    #expect(audits.first?.detail == ["code": 1008, "reason": "spam"])
    #expect(backend.disconnects.count == 1)
  }

  @Test func `reads change nothing and leave no audit record`() {
    let backend = FakeBackend()
    for target in ["/api/v1/connections/\(firstID)?code=1008", "/api/v1/connections/\(firstID)"] {
      _ = ask(backend, AdminRequest(method: "GET", target: target, body: Array("{}".utf8)), from: .unix(userID: 0))
    }
    #expect(backend.disconnects.isEmpty && backend.audits.isEmpty)
  }
}

@Suite struct `Bodies` {
  @Test(
    arguments: [
      ([], nil), ([("Content-Length", "0")], nil), ([("Content-Length", "65536")], nil), ([("Content-Length", "65537")], 413),
      ([("content-length", "99999999999999999999999")], 400), ([("Content-Length", "-1")], 400),
      ([("Content-Length", "+1")], 400),
      ([("Content-Length", "")], 400), ([("Content-Length", "1, 1")], 400),
      ([("Content-Length", "1"), ("Content-Length", "1")], 400),
      ([("Transfer-Encoding", "chunked")], 411), ([("Transfer-Encoding", "chunked"), ("Content-Length", "1")], 411),
    ] as [([(String, String)], Int?)])
  func `are judged before they are read`(fields: [(String, String)], status: Int?) {
    var request = delete()
    request.fields = fields.map { (name: $0.0, value: $0.1) }
    #expect(api(FakeBackend()).refusalBeforeBody(of: request)?.status == status)
  }

  @Test func `that came too large after all are refused`() {
    var request = delete()
    request.body = Array(repeating: 0x20, count: AdminRequest.maxBodyBytes + 1)
    #expect(ask(FakeBackend(), request, from: .unix(userID: 0)).status == 413)
  }
}

let host = [(name: "Host", value: "localhost:9901")]

func api(_ backend: FakeBackend, tokens: AdminTokens? = nil, hosts: [String] = []) -> AdminAPI {
  AdminAPI(
    backend: backend,
    access: AdminAccess(tokens: tokens, allowedHosts: hosts, ownUserID: 1_000, cryptography: cryptography))
}

func ask(
  _ backend: FakeBackend, _ request: AdminRequest, from peer: AdminPeer = .unix(userID: nil), scope: AdminAPI.Scope = .full
) -> AdminResponse {
  api(backend).respond(to: request, from: peer, scope: scope, now: present.instant)
}

func delete(body: String? = nil) -> AdminRequest {
  AdminRequest(
    method: "DELETE", target: "/api/v1/connections/\(firstID)",
    fields: body == nil ? [] : [(name: "Content-Type", value: "application/json")], body: Array((body ?? "").utf8))
}

func field(_ response: AdminResponse, _ name: String) -> String? {
  response.fields.first { $0.name == name }?.value
}
