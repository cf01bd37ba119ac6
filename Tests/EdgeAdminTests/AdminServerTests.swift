import EdgeAdmin
import EdgeCore
import Glibc
import Testing

/// Real sockets and libmicrohttpd's real thread.
@Suite struct `The admin server` {
  @Test func `serves a Unix socket by the peer's user and a TCP port by token`() throws {
    let backend = FakeBackend()
    let unix = try Listening.unix()
    let tcp = try Listening.tcp()
    let metrics = try Listening.tcp()
    let server = try AdminServer(
      listeners: [
        AdminListener(descriptor: unix.descriptor, kind: .unix), AdminListener(descriptor: tcp.descriptor, kind: .tcp),
        AdminListener(descriptor: metrics.descriptor, kind: .tcp, scope: .metricsOnly),
      ], api: api(backend, tokens: try tokens()), environment: environment)
    defer { server.stop() }

    let status = try unix.exchange("GET /api/v1/status HTTP/1.1\r\nHost: x\r\n\r\n")
    #expect(status.hasPrefix("HTTP/1.1 200 OK\r\n"))
    #expect(status.contains("Content-Type: application/json\r\n"))
    #expect(status.contains("Cache-Control: no-store\r\n"))
    #expect(status.contains(#""version":"1.0""#))

    #expect(try tcp.exchange("GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n").hasPrefix("HTTP/1.1 401 "))
    let allowed = "Host: localhost\r\nAuthorization: Bearer oper\r\n"
    #expect(try tcp.exchange("GET /api/v1/connections?limit=1&user=a%6Cice HTTP/1.1\r\n\(allowed)\r\n").contains(firstID))
    #expect(try tcp.exchange("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n").hasPrefix("HTTP/1.1 403 "))
    #expect(try metrics.exchange("GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n").hasPrefix("HTTP/1.1 200 "))
    #expect(try metrics.exchange("GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n").hasPrefix("HTTP/1.1 404 "))

    let head = try tcp.exchange("HEAD /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    #expect(head.hasPrefix("HTTP/1.1 200 ") && head.contains("Content-Length: 6\r\n") && head.hasSuffix("\r\n\r\n"))

    let body = #"{"code":1008,"reason":"spam"}"#
    let kick = "DELETE /api/v1/connections/\(firstID) HTTP/1.1\r\n\(allowed)"
    let json = "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
    #expect(try tcp.exchange("\(kick)\(json)\(body)").hasPrefix("HTTP/1.1 200 "))
    #expect(try tcp.exchange("\(kick)\r\n").hasPrefix("HTTP/1.1 200 "))
    #expect(backend.disconnects == ["\(firstID) 1008 spam", "\(firstID) 4403 kicked"])
    #expect(backend.audits.map { $0.who?.name } == ["oncall", "oncall"])
    guard case .tcp(let peer)? = backend.audits.first?.peer else { throw Fault.refused }
    #expect(peer.ip?.description == "127.0.0.1")
  }

  @Test(arguments: [
    ("DELETE /api/v1/connections/\(firstID) HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n", "413"),
    ("DELETE /api/v1/connections/\(firstID) HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "411"),
    ("GET /api/v1/connections?user=%00 HTTP/1.1\r\nHost: x\r\n\r\n", "200"),
    ("GET /api/v1/connections?user=%zz HTTP/1.1\r\nHost: x\r\n\r\n", "400"),
    ("GET /%6civez HTTP/1.1\r\nHost: x\r\n\r\n", "404"), ("GET /livez%00 HTTP/1.1\r\nHost: x\r\n\r\n", "404"),
    ("GET http://x/livez HTTP/1.1\r\nHost: x\r\n\r\n", "404"), ("BREW /livez HTTP/1.1\r\nHost: x\r\n\r\n", "405"),
    ("GET /livez HTTP/1.1\r\nHost: x\r\nX: \u{ff}\u{0}\r\n\r\n", "200"),
    ("GET /livez HTTP/1.1\r\n\r\n", "400"),
    ("GET /livez HTTP/1.1\r\nHost: x\r\nOrigin: http://evil\r\n\r\n", "403"),
  ])
  func `answers hostile requests cleanly`(request: String, status: String) throws {
    let unix = try Listening.unix()
    let server = try AdminServer(
      listeners: [AdminListener(descriptor: unix.descriptor, kind: .unix)], api: api(FakeBackend()), environment: environment)
    defer { server.stop() }
    #expect(try unix.exchange(request).hasPrefix("HTTP/1.1 \(status)"))
    #expect(try unix.exchange("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").hasPrefix("HTTP/1.1 200"))
  }

  @Test func `refuses heads beyond its memory`() throws {
    let unix = try Listening.unix()
    let server = try AdminServer(
      listeners: [AdminListener(descriptor: unix.descriptor, kind: .unix)], api: api(FakeBackend()), environment: environment)
    defer { server.stop() }
    #expect(
      try unix.exchange("GET /\(String(repeating: "a", count: 40_000)) HTTP/1.1\r\nHost: x\r\n\r\n").hasPrefix("HTTP/1.1 414"))
    let fields = String(repeating: "X: y\r\n", count: 10_000)
    #expect(try unix.exchange("GET /livez HTTP/1.1\r\nHost: x\r\n\(fields)\r\n").hasPrefix("HTTP/1.1 431"))
  }

  @Test func `bytes that are no HTTP leave it serving`() throws {
    let unix = try Listening.unix()
    let server = try AdminServer(
      listeners: [AdminListener(descriptor: unix.descriptor, kind: .unix)], api: api(FakeBackend()), environment: environment)
    defer { server.stop() }
    var random = SystemRandomNumberGenerator()
    for _ in 0..<20 {
      let bytes = (0..<200).map { _ in UInt8.random(in: 0...255, using: &random) }
      let client = try unix.connect()
      try? write(client, bytes + Array("\r\n\r\n".utf8))
      Glibc.close(client)
    }
    #expect(try unix.exchange("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").hasPrefix("HTTP/1.1 200"))
  }

  @Test func `stops at once though connections are open, idle or inside a request`() throws {
    let unix = try Listening.unix()
    let server = try AdminServer(
      listeners: [AdminListener(descriptor: unix.descriptor, kind: .unix)], api: api(FakeBackend()), environment: environment)
    let clients = try (0..<3).map { _ in try unix.connect() }
    try write(clients[1], Array("GET /livez HT".utf8))
    try write(clients[2], Array("DELETE /api/v1/connections/\(firstID) HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{".utf8))
    #expect(try unix.exchange("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").hasPrefix("HTTP/1.1 200"))
    let started = ContinuousClock.now
    server.stop()
    #expect(ContinuousClock.now - started < .seconds(9), "ten seconds are what they may be idle")
    for client in clients {
      #expect(try readAll(client).isEmpty)
      Glibc.close(client)
    }
    #expect(throws: Fault.self) { try unix.connect() }
  }

  @Test func `recovers when clients that send too slowly hold every place, and other listeners never notice`() throws {
    let (unix, tcp) = (try Listening.unix(), try Listening.tcp())
    let clock = Guarded((now: Instant(nanoseconds: 0), looks: 0))
    var environment = environment
    environment.now = {
      clock.withLock {
        $0.looks += 1
        return $0.now
      }
    }
    let server = try AdminServer(
      listeners: [
        AdminListener(descriptor: unix.descriptor, kind: .unix), AdminListener(descriptor: tcp.descriptor, kind: .tcp),
      ], api: api(FakeBackend()), environment: environment)
    defer { server.stop() }
    let probe = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
    // One address may hold 48 places of 64, and so two hold all of them.
    var stalling: [Int32] = []
    defer { for client in stalling { Glibc.close(client) } }
    for source in [0x7f00_0001, 0x7f00_0002] as [UInt32] {
      for _ in 0..<32 {
        let client = try tcp.connect(from: source)
        stalling.append(client)
        try? write(client, Array("GET /livez HTTP/1.1\r\nHost: local".utf8))
      }
    }
    // The server looks at the clock when it takes a client: time stands still until it has taken all.
    let limit = ContinuousClock.now + .seconds(60)
    while clock.withLock({ $0.looks }) < stalling.count, ContinuousClock.now < limit { sched_yield() }
    #expect(try unix.exchange(probe).hasPrefix("HTTP/1.1 200"))
    clock.withLock { $0.now = $0.now + .seconds(19) }
    server.endSlowConnections()
    #expect(try tcp.exchange(probe, patience: 1).isEmpty, "no place is left")
    clock.withLock { $0.now = $0.now + .seconds(1) }
    server.endSlowConnections()
    // The clients have come to the end of their connections, and their places are free.
    for client in stalling { _ = try readAll(client) }
    #expect(try tcp.exchange(probe).hasPrefix("HTTP/1.1 200"))
    #expect(try unix.exchange(probe).hasPrefix("HTTP/1.1 200"))
  }

  @Test func `does not start on a descriptor that is no socket, and closes it`() {
    let file = open("/dev/null", O_RDONLY)
    #expect(throws: AdminServerError.cannotStart(descriptor: file)) {
      try AdminServer(listeners: [AdminListener(descriptor: file, kind: .tcp)], api: api(FakeBackend()), environment: environment)
    }
  }
}

private let environment = AdminEnvironment(
  now: { Instant(nanoseconds: 0) },
  peerUserID: { descriptor in
    // struct ucred, which Glibc's module lacks: pid, uid, gid.
    var credentials: [UInt32] = [0, .max, .max]
    var size = socklen_t(12)
    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0 ? credentials[1] : nil
  })
