import EdgeAdmin
import EdgeCore
import Testing

@Suite struct `Who may do what` {
  @Test(arguments: [(0, 200), (1_000, 200), (33, 403), (nil, 403)] as [(UInt32?, Int)])
  func `on the Unix socket root and the edge's own user are admin`(userID: UInt32?, status: Int) {
    for request in [get("/api/v1/status"), delete()] {
      #expect(ask(FakeBackend(), request, from: .unix(userID: userID)).status == status)
    }
  }

  @Test(arguments: ["/api/v1/status", "/api/v1/workers", "/api/v1/connections", "/api/v1/connections/\(firstID)"])
  func `without a tokens file TCP serves probes and metrics alone, and says what to set`(target: String) throws {
    let answer = ask(FakeBackend(), get(target, host + bearer("boss")), from: loopback)
    #expect(answer.status == 403)
    #expect(try JSON(parsing: answer.body)["detail"]?.stringValue?.contains("admin.tokens_file") == true)
    for probe in ["/livez", "/readyz", "/metrics"] { #expect(ask(FakeBackend(), get(probe, host), from: loopback).status == 200) }
  }

  @Test(arguments: [
    ("view", 200, 403), ("oper", 200, 200), ("boss", 200, 200), ("wrong", 401, 401), ("vie", 401, 401), ("view ", 401, 401),
  ])
  func `a token's role decides`(token: String, read: Int, write: Int) throws {
    let backend = FakeBackend()
    let api = api(backend, tokens: try tokens())
    var kick = delete()
    kick.fields = host + bearer(token)
    #expect(status(api, get("/api/v1/status", host + bearer(token))) == read)
    #expect(status(api, kick) == write)
    #expect(backend.disconnects.count == (write == 200 ? 1 : 0))
  }

  @Test(arguments: [
    [], ["Bearer"], ["Bearer "], ["Basic boss"], ["boss"], ["bearer  "], ["Bearer bo ss"], ["Bearer boss", "Bearer boss"],
    ["Bearer boss\u{7f}"], ["Bearer \(String(repeating: "x", count: 513))"],
  ])
  func `anything but one bearer token is a 401 with a challenge`(values: [String]) throws {
    let fields = host + values.map { (name: "Authorization", value: $0) }
    let answer = api(FakeBackend(), tokens: try tokens())
      .respond(to: get("/api/v1/status", fields), from: loopback, scope: .full, now: Instant(nanoseconds: 0))
    #expect(answer.status == 401)
    #expect(field(answer, "WWW-Authenticate")?.hasPrefix("Bearer") == true)
  }

  @Test func `the scheme is told apart without regard to case`() throws {
    let api = api(FakeBackend(), tokens: try tokens())
    #expect(status(api, get("/api/v1/status", host + [("Authorization", "bEARER boss")])) == 200)
  }

  @Test func `a stranger on the Unix socket may show a token`() throws {
    let api = api(FakeBackend(), tokens: try tokens())
    #expect(status(api, get("/api/v1/status", bearer("view")), from: .unix(userID: 33)) == 200)
    #expect(status(api, get("/api/v1/status"), from: .unix(userID: 33)) == 401)
  }

  @Test func `ten wrong tokens silence an address for a minute, and no other`() throws {
    let api = api(FakeBackend(), tokens: try tokens())
    let other = AdminPeer.tcp(.ip(IPAddress(v4: 0x7f00_0002), port: 1))
    for _ in 0..<10 { #expect(status(api, get("/api/v1/status", host + bearer("guess"))) == 401) }
    #expect(status(api, get("/api/v1/status", host + bearer("boss"))) == 429)
    #expect(status(api, get("/api/v1/status", host + bearer("boss")), from: other) == 200)
    #expect(status(api, get("/api/v1/status"), from: .unix(userID: 0)) == 200)
    #expect(status(api, get("/api/v1/status", host + bearer("boss")), at: .seconds(61)) == 200)
  }

  @Test func `addresses without end do not fill the memory of wrong tokens`() throws {
    let api = api(FakeBackend(), tokens: try tokens())
    for address in 0..<2_000 as Range<UInt32> {
      let peer = AdminPeer.tcp(.ip(IPAddress(v4: 0x7f00_0000 + address), port: 1))
      #expect([401, 429].contains(status(api, get("/api/v1/status", host + bearer("guess")), from: peer)))
    }
    #expect(status(api, get("/api/v1/status", host + bearer("boss")), at: .seconds(61)) == 200)
  }
}

@Suite struct `Requests that a web page could forge` {
  @Test(arguments: [
    ("localhost", 200), ("LOCALHOST:9901", 200), ("127.0.0.1:9901", 200), ("127.9.9.9", 200), ("[::1]:9901", 200),
    ("edge.internal:9901", 200), ("[2001:DB8:0::1]:9901", 200), ("[2001:db8::2]", 403), ("evil.example", 403),
    ("localhost.evil.example", 403), ("127.0.0.1.evil.example", 403),
    ("", 403),
    ("localhost:", 200), ("localhost:x", 403), ("localhost:99999999", 403), ("[::1", 403), ("[::1]x", 403), ("10.0.0.1", 403),
    ("localhost@evil.example", 403), ("0.0.0.0", 403),
  ])
  func `a Host over TCP is loopback or configured`(host: String, status expected: Int) {
    let api = api(FakeBackend(), hosts: ["Edge.Internal", "2001:db8::1"])
    #expect(status(api, get("/metrics", [("Host", host)])) == expected)
  }

  @Test(arguments: ["0.0.0.0", "::"])
  func `any address may stand in Host where every address is served, but no name`(listening: String) {
    let api = api(FakeBackend(), hosts: [listening])
    for host in ["10.1.2.3:9901", "[2001:db8::1]:9901", "localhost", "127.0.0.1"] {
      #expect(status(api, get("/metrics", [("Host", host)])) == 200)
    }
    for host in ["evil.example", "10.1.2.3.evil.example", "10.1.2", "0x0a010203"] {
      #expect(status(api, get("/metrics", [("Host", host)])) == 403)
    }
  }

  @Test func `a Host is required over TCP, and given once`() {
    #expect(status(api(FakeBackend()), get("/metrics")) == 403)
    #expect(status(api(FakeBackend()), get("/metrics", host + host)) == 400)
  }

  @Test(arguments: [
    ("anything", 200), ("localhost:9901", 200), ("127.0.0.1", 200), ("[::1]:9901", 200), ("", 200), ("edge.internal", 200),
    ("rebound.example", 403), ("rebound.example:9901", 403), ("rebound.", 403),
  ])
  func `a Host on a Unix socket is no name that somebody's page could have`(host: String, status expected: Int) {
    let api = api(FakeBackend(), hosts: ["edge.internal"])
    #expect(status(api, get("/metrics", [("Host", host)]), from: .unix(userID: 0)) == expected)
  }

  @Test(arguments: [
    ("http://localhost:9901", 200), ("http://localhost", 403), ("https://localhost:9901", 403), ("http://evil.example", 403),
    ("null", 403), ("", 403), ("http://localhost:9901/", 403),
  ])
  func `an Origin is absent or our own`(origin: String, expected: Int) {
    let fields = host + [(name: "Origin", value: origin)]
    #expect(status(api(FakeBackend()), get("/metrics", fields)) == expected)
    #expect(status(api(FakeBackend()), get("/api/v1/status", fields), from: .unix(userID: 0)) == expected)
  }

  @Test func `a metrics listener serves probes and metrics to any Host, and nothing else`() {
    for target in ["/livez", "/readyz", "/metrics"] {
      #expect(ask(FakeBackend(), get(target, [("Host", "10.1.2.3:9")]), from: loopback, scope: .metricsOnly).status == 200)
    }
    for request in [get("/api/v1/status"), delete(), get("/api/v1/connections")] {
      #expect(ask(FakeBackend(), request, from: .unix(userID: 0), scope: .metricsOnly).status == 404)
    }
  }
}

@Suite struct `The tokens file` {
  @Test func `may have comments, empty lines and CRLF`() throws {
    let good = "# tokens\r\n\r\n" + tokenLine("viewer", "a-b", "view").dropLast() + "\r\n"
    let api = api(FakeBackend(), tokens: try AdminTokens(parsing: Array(good.utf8)))
    #expect(status(api, get("/api/v1/status", host + bearer("view"))) == 200)
  }

  @Test(arguments: [
    ("viewer:a", 1), ("owner:a:\(hash)", 1), ("viewer::\(hash)", 1), ("viewer:a b:\(hash)", 1), ("viewer:a:\(hash)0", 1),
    ("viewer:a:secret-token", 1), ("\nviewer:a:\(hash):x", 2), ("viewer:a:\(hash)\nadmin:a:\(hash)", 2), (" viewer:a:\(hash)", 1),
    ("VIEWER:a:\(hash)", 1), ("viewer:a:\(hash) ", 1),
  ])
  func `is refused with the line that is wrong, and never shows it`(text: String, line: Int) {
    let error = #expect(throws: AdminTokensError.self) { try AdminTokens(parsing: Array(text.utf8)) }
    #expect(error?.line == line)
    #expect(error?.description.contains("secret") == false)
  }

  @Test func `is bounded`() {
    let text = (0...AdminTokens.maxTokens).map { "viewer:n\($0):\(hash)\n" }.joined()
    #expect(throws: AdminTokensError.self) { try AdminTokens(parsing: Array(text.utf8)) }
  }

  @Test func `that is empty lets nobody in`() throws {
    let api = api(FakeBackend(), tokens: try AdminTokens(parsing: []))
    #expect(status(api, get("/api/v1/status", host + bearer("x"))) == 401)
  }
}

private let hash = String(repeating: "0a", count: 32)

private func get(_ target: String, _ fields: [(String, String)] = []) -> AdminRequest {
  AdminRequest(method: "GET", target: target, fields: fields.map { (name: $0.0, value: $0.1) })
}

private func bearer(_ token: String) -> [(name: String, value: String)] {
  [(name: "Authorization", value: "Bearer \(token)")]
}

private func status(
  _ api: AdminAPI, _ request: AdminRequest, from peer: AdminPeer = loopback, at time: Duration = .zero
) -> Int {
  api.respond(to: request, from: peer, scope: .full, now: Instant(nanoseconds: 0) + time).status
}
