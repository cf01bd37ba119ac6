import EdgeCore
import Synchronization
import Testing

@testable import EdgeAdmin

@Suite struct `The configuration over the admin API` {
  private let root = AdminPeer.unix(userID: 0)

  @Test func `is given with a tag, as JSON or as YAML, and not twice to who has it`() throws {
    let answer = ask(FakeBackend(), get(), from: root)
    #expect(try JSON(parsing: answer.body) == ["etag": "0123", "config": ["threads": 2]])
    #expect(field(answer, "ETag") == "W/\"0123\"")
    let yaml = ask(FakeBackend(), get(("Accept", "application/yaml")), from: root)
    #expect(String(decoding: yaml.body, as: UTF8.self) == "threads: 2\n")
    #expect(field(yaml, "Content-Type") == "application/yaml")
    for known in ["W/\"0123\"", "\"0123\"", "*", "\"x\" , W/\"0123\"", "\"0123\",\"y\""] {
      let answer = ask(FakeBackend(), get(("If-None-Match", known)), from: root)
      #expect(answer.status == 304 && answer.body.isEmpty && field(answer, "ETag") == "W/\"0123\"", "\(known)")
    }
    for other in ["\"012\"", "0123", "", ","] {
      #expect(ask(FakeBackend(), get(("If-None-Match", other)), from: root).status == 200, "\(other)")
    }
  }

  @Test func `a reload tells what changed, and what waits for a restart`() throws {
    let backend = FakeBackend()
    backend.state.withLock {
      $0.reload = .applied([
        .init(path: "drain.delay", old: "5s", new: "1s", effect: "applied"),
        .init(path: "threads", old: "auto", new: nil, effect: "needs_restart"),
      ])
    }
    let answer = try JSON(parsing: ask(backend, post("reload", "{}"), from: root).body)
    #expect(
      answer == [
        "applied": true, "changed": true,
        "diff": [
          ["path": "drain.delay", "old": "5s", "new": "1s", "effect": "applied"],
          ["path": "threads", "old": "auto", "new": nil, "effect": "needs_restart"],
        ], "needs_restart": ["threads"],
      ])
    #expect(backend.audits.last?.action == "config.reload")
    #expect(backend.audits.last?.detail == ["drain.delay", "threads"])
  }

  @Test(arguments: ["reload", "config/validate"]) func `what is wrong with it is told with its place`(path: String) throws {
    let backend = FakeBackend()
    backend.state.withLock {
      $0.reload = .refused([.init(path: "threads", line: 3, column: 9, message: "no number"), .init(message: "no file")])
    }
    let body = path == "reload" ? "" : #"{"yaml":"threads: many"}"#
    let answer = ask(backend, post(path, body), from: root)
    #expect(answer.status == 422)
    let problem = try JSON(parsing: answer.body)
    #expect(problem["error"] == "bad_configuration")
    #expect(
      problem["errors"] == [
        ["path": "threads", "line": 3, "column": 9, "message": "no number"],
        ["path": "", "line": nil, "column": nil, "message": "no file"],
      ])
    #expect(backend.audits.last?.status == 422)
  }

  @Test(arguments: ["[]", "1", #"{"force":true}"#]) func `a reload takes no other word`(body: String) {
    #expect(ask(FakeBackend(), post("reload", body), from: root).status == 400)
  }

  @Test(arguments: ["", "{}", "[]", #"{"yaml":1}"#, #"{"yaml":"a: b","more":1}"#])
  func `a validation needs a text, and nothing else`(body: String) {
    #expect(ask(FakeBackend(), post("config/validate", body), from: root).status == 400)
  }

  @Test(arguments: [
    ("view", "GET", "config", "", 200), ("view", "POST", "config/validate", #"{"yaml":"a: b"}"#, 403),
    ("oper", "POST", "config/validate", #"{"yaml":"a: b"}"#, 200), ("oper", "POST", "reload", "{}", 403),
    ("oper", "POST", "config/validate", #"{"yaml":"a: ${PATH}"}"#, 403),
    ("boss", "POST", "config/validate", #"{"yaml":"a: ${PATH}"}"#, 200), ("boss", "POST", "reload", "{}", 200),
  ])
  func `needs the right role, and admin's for what takes in the environment`(
    token: String, method: String, path: String, body: String, status: Int
  ) throws {
    let access = AdminAccess(tokens: try tokens(), ownUserID: 1, cryptography: cryptography)
    var request = method == "GET" ? get() : post(path, body)
    request.fields += [(name: "Host", value: "127.0.0.1"), (name: "Authorization", value: "Bearer \(token)")]
    let answer = AdminAPI(backend: FakeBackend(), access: access)
      .respond(to: request, from: loopback, scope: .full, now: Instant(nanoseconds: 0))
    #expect(answer.status == status)
  }

  private func get(_ fields: (String, String)...) -> AdminRequest {
    AdminRequest(method: "GET", target: "/api/v1/config", fields: fields.map { (name: $0.0, value: $0.1) })
  }

  private func post(_ path: String, _ body: String) -> AdminRequest {
    AdminRequest(
      method: "POST", target: "/api/v1/\(path)", fields: [(name: "Content-Type", value: "application/json")],
      body: Array(body.utf8))
  }
}

@Suite struct `Other admin tokens` {
  @Test func `count at once, and those before them no more`() throws {
    let access = AdminAccess(tokens: try tokens(), ownUserID: 1, cryptography: cryptography)
    let api = AdminAPI(backend: FakeBackend(), access: access)
    func status(_ token: String) -> Int {
      let request = AdminRequest(
        method: "GET", target: "/api/v1/status",
        fields: [(name: "Host", value: "localhost"), (name: "Authorization", value: "Bearer \(token)")])
      return api.respond(to: request, from: loopback, scope: .full, now: Instant(nanoseconds: 0)).status
    }
    #expect(status("view") == 200)
    access.adopt(try AdminTokens(parsing: Array(tokenLine("viewer", "other", "fresh").utf8)))
    #expect(status("view") == 401 && status("fresh") == 200)
    access.adopt(nil)
    #expect(status("fresh") == 403)
  }
}
