import COpenSSL
import EdgeCore
import Testing

@testable import EdgeTLS

struct ServerNameTests {
  @Test(arguments: [
    ("a.example.com", "exact a"), ("A.Example.COM", "exact a"), ("a.example.com.", "exact a"), ("b.example.com", "wildcard"),
    ("x.b.example.com", nil), ("example.com", nil), (".example.com", nil), ("", nil), (".", nil), ("*.example.com", "wildcard"),
    ("a.example.com..", nil),
  ])
  func `an exact name comes before a wildcard of one label`(name: String, expected: String?) {
    var table = ServerNameTable<String>()
    table.set("*.example.com", to: "wildcard")
    table.set("a.example.com", to: "exact a")
    #expect(table.value(for: name) == expected)
  }

  @Test(arguments: [
    ("a.test", "a.test"), ("alias.test", "a.test"), ("A.TEST", "a.test"), ("y.wild.test", "*.wild.test"),
    ("x.wild.test", "x.wild.test"), ("default.test", "default.test"), ("unknown.test", "default.test"),
    ("z.y.wild.test", "default.test"), (nil, "default.test"),
  ])
  func `the certificate is the one for the name, else the first`(name: String?, expected: String) throws {
    let names = [["default.test"], ["a.test", "alias.test"], ["*.wild.test"], ["x.wild.test"]]
    let pair = try Pair(server: Fixture.server(names.map { Fixture.identity($0) }), client: Fixture.anyone, serverName: name)
    _ = try pair.handshake()
    #expect(pair.client.session.peerCertificate?.names.first == expected)
  }

  @Test(arguments: TLSVersion.allCases, [true, false])
  func `RSA and ECDSA certificates of one name stand side by side`(version: TLSVersion, wantsRSA: Bool) throws {
    let identities = [Fixture.identity(["*.test"], key: Fixture.rsaKey), Fixture.identity(["a.test"])]
    let client = Fixture.client(version...version)
    client.offerOnly(signatures: wantsRSA ? "RSA-PSS+SHA256" : "ECDSA+SHA256")
    let pair = try Pair(server: Fixture.server(identities), client: client, serverName: "a.test")
    _ = try pair.handshake()
    #expect(pair.client.session.peerCertificate?.isRSA == wantsRSA)
  }
}

struct SignatureAlgorithmTests {
  @Test(
    arguments: TLSVersion.allCases,
    [
      ("P-256", nil), ("P-384", nil), ("RSA", nil), ("Ed25519", nil), ("Ed448", nil), ("P-256", "ECDSA+SHA256"),
      ("P-384", "ECDSA+SHA384"), ("RSA", "RSA-PSS+SHA256"), ("RSA", "RSA-PSS+SHA512"), ("Ed25519", "ed25519"),
    ] as [(String, String?)])
  func `a client is served that takes any of what the key signs with`(version: TLSVersion, offer: (String, String?)) throws {
    let (kind, signatures) = offer
    let client = Fixture.client(version...version)
    if let signatures { client.offerOnly(signatures: signatures) }
    let pair = try Pair(server: Fixture.server([Fixture.identity(["a.test"], key: key(kind))]), client: client)
    #expect(try pair.handshake().server.version == version)
  }

  @Test(arguments: ["ECDSA+SHA384", "ECDSA+SHA512"])
  func `TLS 1.2 binds no digest to a curve`(signatures: String) throws {
    let client = Fixture.client(.tls12 ... .tls12)
    client.offerOnly(signatures: signatures)
    #expect(try Pair(server: Fixture.server(), client: client).handshake().server.version == .tls12)
  }

  @Test(arguments: TLSVersion.allCases)
  func `a client that takes none of them is refused`(version: TLSVersion) throws {
    let client = Fixture.client(version...version)
    client.offerOnly(signatures: "RSA-PSS+SHA256")
    let pair = try Pair(server: Fixture.server(), client: client)
    #expect(throws: TLSError.self) { try pair.handshake() }
  }

  private func key(_ kind: String) -> KeyHandle {
    switch kind {
    case "RSA": Fixture.rsaKey
    case "Ed25519", "Ed448": Fixture.key(.edwards(curve: kind.uppercased()))
    default: Fixture.key(.ec(curve: kind))
    }
  }
}

struct ApplicationProtocolTests {
  @Test(
    arguments: TLSVersion.allCases,
    [
      (["h2", "http/1.1"], ["http/1.1", "h2"], "h2"), (["http/1.1"], ["h2", "http/1.1"], "http/1.1"), (["http/1.1"], [], nil),
      ([], ["h2"], nil), (["http/1.1"], ["x", "http/1.1x", "http/1.1"], "http/1.1"),
    ] as [([String], [String], String?)])
  func `the server's best common protocol is chosen`(version: TLSVersion, names: ([String], [String], String?)) throws {
    let (ours, offered, expected) = names
    let pair = try Pair(server: Fixture.server(protocols: ours), client: Fixture.client(version...version, protocols: offered))
    let (client, server) = try pair.handshake()
    #expect(client.applicationProtocol == expected && server.applicationProtocol == expected)
  }

  @Test(arguments: [["h3"], ["http/1.0"], ["http/1.1 "], ["HTTP/1.1"]])
  func `a client that offers only unknown protocols is refused`(offered: [String]) throws {
    let pair = try Pair(server: Fixture.server(protocols: ["http/1.1"]), client: Fixture.client(protocols: offered))
    #expect(throws: TLSError.noApplicationProtocol) { try pair.handshake() }
    #expect(pair.client.failure == .alert(120))
  }
}

struct ResumptionTests {
  private func ticket(_ context: TLSServerContext, _ client: TLSClientContext) throws -> TLSClientTicket? {
    let pair = try Pair(server: context, client: client, serverName: "localhost")
    _ = try pair.handshake()
    return pair.client.session.resumptionTicket()
  }

  @Test(arguments: TLSVersion.allCases)
  func `a session resumes in another context that shares the ring`(version: TLSVersion) throws {
    let ring = Fixture.ring()
    let client = Fixture.client(version...version)
    let ticket = try ticket(Fixture.server(ring: ring), client)
    let pair = try Pair(server: Fixture.server(ring: ring), client: client, serverName: "localhost", resuming: ticket)
    let (clientInfo, serverInfo) = try pair.handshake()
    #expect(clientInfo.isResumed && serverInfo.isResumed)
    let stranger = try Pair(server: Fixture.server(), client: client, serverName: "localhost", resuming: ticket)
    #expect(try stranger.handshake().server.isResumed == false)
  }

  @Test func `no two sessions have one name`() throws {
    let context = try Fixture.server()
    let names = try (0..<40).map { _ in
      let pair = try Pair(server: context, client: Fixture.client(.tls13 ... .tls13))
      _ = try pair.handshake()
      var count: UInt32 = 0
      let name = SSL_SESSION_get_id(SSL_get_session(pair.server.session.ssl), &count)
      return Array(UnsafeBufferPointer(start: name, count: Int(count)))
    }
    #expect(Set(names).count == names.count && names.allSatisfy { $0.count == 32 })
  }

  @Test(arguments: TLSVersion.allCases)
  func `a ticket lives through one rotation of keys but not through two`(version: TLSVersion) throws {
    let ring = TicketKeyRing(now: Instant(nanoseconds: 0), period: .seconds(100))
    let client = Fixture.client(version...version)
    let context = try Fixture.server(ring: ring)
    let ticket = try ticket(context, client)
    for (seconds, isResumed) in [(99, true), (100, true), (199, true), (200, false)] {
      ring.rotate(now: Instant(nanoseconds: UInt64(seconds) * 1_000_000_000))
      let pair = try Pair(server: context, client: client, resuming: ticket)
      #expect(try pair.handshake().server.isResumed == isResumed, "at \(seconds) s")
    }
  }

  @Test func `keys that nobody rotated for two periods are both replaced`() throws {
    let ring = TicketKeyRing(now: Instant(nanoseconds: 0), period: .seconds(100))
    let first = ring.current
    ring.rotate(now: Instant(nanoseconds: 250_000_000_000))
    #expect(ring.current.name != first.name)
    #expect(ring.key(named: first.name) == nil)
  }

  @Test func `a session that resumes under an old key gets a ticket under the new one`() throws {
    let ring = TicketKeyRing(now: Instant(nanoseconds: 0), period: .seconds(100))
    let client = Fixture.client(.tls12 ... .tls12)
    let context = try Fixture.server(ring: ring)
    let first = try ticket(context, client)
    ring.rotate(now: Instant(nanoseconds: 100_000_000_000))
    let pair = try Pair(server: context, client: client, resuming: first)
    #expect(try pair.handshake().server.isResumed)
    let second = pair.client.session.resumptionTicket()
    ring.rotate(now: Instant(nanoseconds: 200_000_000_000))
    let later = try Pair(server: context, client: client, resuming: second)
    #expect(try later.handshake().server.isResumed)
  }

  @Test func `threads share a context and its keys while the keys rotate`() async throws {
    let ring = TicketKeyRing(now: Instant(nanoseconds: 0), period: .seconds(1))
    let context = try Fixture.server(protocols: ["http/1.1"], ring: ring)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for thread in 0..<4 {
        group.addTask {
          var ticket: TLSClientTicket?
          for round in 0..<10 {
            let pair = try Pair(server: context, client: Fixture.anyone, serverName: "localhost", resuming: ticket)
            _ = try pair.handshake()
            ticket = pair.client.session.resumptionTicket()
            ring.rotate(now: Instant(nanoseconds: UInt64(round + thread) * 1_000_000_000))
          }
        }
      }
      try await group.waitForAll()
    }
  }
}
