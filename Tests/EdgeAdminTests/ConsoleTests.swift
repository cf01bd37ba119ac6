import EdgeCore
import Testing

@testable import EdgeAdmin

@Suite struct `The console` {
  @Test(arguments: [
    ("/", "text/html; charset=utf-8"), ("/console/style.css", "text/css; charset=utf-8"), ("/console/icon.svg", "image/svg+xml"),
    ("/console/main.js", "text/javascript; charset=utf-8"),
  ])
  func `is given to anybody, with its type and a policy that lets nothing else in`(target: String, type: String) throws {
    let answer = ask(FakeBackend(), get(target), from: loopback)
    #expect(answer.status == 200)
    #expect(field(answer, "Content-Type") == type)
    #expect(!answer.body.isEmpty)
    let policy = try #require(field(answer, "Content-Security-Policy"))
    let directives = policy.split(separator: "; ")
    #expect(directives.contains("default-src 'none'") && directives.contains("frame-ancestors 'none'"))
    #expect(!policy.contains("unsafe") && !policy.contains("*"))
  }

  @Test(arguments: [
    "/console", "/console/", "/console/index.html", "/console/main.js/", "/console/../main.js", "/console/%2e%2e", "//",
  ])
  func `has nothing else at its paths`(target: String) {
    #expect(ask(FakeBackend(), get(target)).status == 404)
  }

  @Test func `is not changed by anybody`() {
    for method in ["POST", "PUT", "DELETE"] {
      let answer = ask(FakeBackend(), AdminRequest(method: method, target: "/", fields: host), from: .unix(userID: 0))
      #expect(answer.status == 405)
      #expect(field(answer, "Allow") == "GET, HEAD")
    }
  }

  @Test func `is only at a listener for everything, under a Host of its own`() {
    #expect(ask(FakeBackend(), get("/"), scope: .metricsOnly).status == 404)
    let rebound = AdminRequest(method: "GET", target: "/", fields: [("Host", "evil.example")])
    #expect(ask(FakeBackend(), rebound, from: loopback).status == 403)
  }

  @Test func `is not sent again to a browser that has it`() throws {
    let first = ask(FakeBackend(), get("/console/main.js"))
    let tag = try #require(field(first, "ETag"))
    for known in [tag, "W/\(tag)", "\"other\", \(tag)"] {
      let again = ask(FakeBackend(), get("/console/main.js", [("If-None-Match", known)]))
      #expect(again.status == 304)
      #expect(again.body.isEmpty)
      #expect(field(again, "ETag") == tag)
    }
    #expect(ask(FakeBackend(), get("/console/main.js", [("If-None-Match", "\"other\"")])).status == 200)
    #expect(field(ask(FakeBackend(), get("/console/api.js")), "ETag") != tag)
  }

  @Test func `has every file that it asks for, and none that nobody asks for`() throws {
    var wanted: Set<String> = []
    for (name, file) in ConsoleFiles.files {
      let text = String(decoding: file.bytes, as: UTF8.self)
      if name.isEmpty { wanted.formUnion(text.matches(of: /"\/console\/([^"]+)"/).map { String($0.1) }) }
      if name.hasSuffix(".js") { wanted.formUnion(text.matches(of: /from "\.\/([^"]+)"/).map { String($0.1) }) }
    }
    #expect(wanted == Set(ConsoleFiles.files.keys).subtracting([""]))
  }

  @Test func `never reads text as markup`() {
    for (name, file) in ConsoleFiles.files where name.hasSuffix(".js") {
      let text = String(decoding: file.bytes, as: UTF8.self)
      for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("] {
        #expect(!text.contains(way), "\(name) uses \(way)")
      }
    }
  }
}

@Suite struct `Who asks` {
  @Test func `is told their name and role`() throws {
    let root = ask(FakeBackend(), AdminRequest(method: "GET", target: "/api/v1/whoami"), from: .unix(userID: 0))
    #expect(try JSON(parsing: root.body) == ["name": "uid:0", "role": "admin"])
    let overTCP = try api(FakeBackend(), tokens: tokens())
    func answer(_ fields: [(name: String, value: String)]) -> AdminResponse {
      overTCP.respond(to: get("/api/v1/whoami", fields), from: loopback, scope: .full, now: Instant(nanoseconds: 0))
    }
    let viewer = answer([("Authorization", "Bearer view")])
    #expect(try JSON(parsing: viewer.body) == ["name": "grafana", "role": "viewer"])
    #expect(answer([]).status == 401)
  }
}

private func get(_ target: String, _ fields: [(name: String, value: String)] = []) -> AdminRequest {
  AdminRequest(method: "GET", target: target, fields: host + fields)
}
