import COpenSSL
import EdgeCore
import Testing

@testable import EdgeTLS

struct ClientCertificateTests {
  @Test(arguments: TLSVersion.allCases, [ClientVerification.Demand.optional, .required])
  func `a certificate of a known authority lets its client in, and is known`(
    version: TLSVersion, demand: ClientVerification.Demand
  ) throws {
    for identity in [ours.issue(), ours.issue(usage: nil), ours.issue(usage: "clientAuth,serverAuth")] {
      let pair = try pair(listener(demand), showing: identity, version: version)
      _ = try pair.handshake()
      let shown = try #require(try Certificate.parse(pem: identity.chain, name: "").first)
      #expect(pair.server.session.clientCertificate == ClientCertificate(subject: "CN=device 7", fingerprint: shown.digest))
      #expect(pair.client.session.clientCertificate?.subject != "CN=device 7")
    }
  }

  @Test(arguments: TLSVersion.allCases, Refused.allCases)
  func `one that does not verify ends the handshake, whether it need be shown or not`(
    version: TLSVersion, refused: Refused
  ) throws {
    for demand in [ClientVerification.Demand.optional, .required] {
      let pair = try pair(listener(demand), showing: refused.identity, version: version)
      #expect(throws: TLSError.untrusted(refused.flaw)) { try pair.handshake() }
      #expect(pair.server.info == nil)
      if case .alert = pair.client.failure {} else { Issue.record("the client is told \(pair.client.failure as Any)") }
    }
  }

  enum Refused: CaseIterable {
    case otherAuthority, impostor, selfSigned, expired, notYetValid, forServers, longChain, missingIntermediate

    var identity: PEMIdentity {
      switch self {
      case .otherAuthority: Authority("theirs").issue()
      case .impostor: Authority("ours").issue()
      case .selfSigned: Fixture.identity(["localhost"])
      case .expired: ours.issue(to: 1_000_000_000)
      case .notYetValid: ours.issue(from: 2_900_000_000)
      case .forServers: ours.issue(usage: "serverAuth")
      case .longChain: descendant(ClientVerification.maxIntermediates + 1).issue()
      case .missingIntermediate: descendant(1).issue(showsChain: false)
      }
    }

    var flaw: CertificateFlaw {
      switch self {
      case .otherAuthority, .selfSigned, .missingIntermediate: .unknownAuthority
      case .impostor: .invalid
      case .expired: .expired
      case .notYetValid: .notYetValid
      case .forServers: .purpose
      case .longChain: .chainTooLong
      }
    }
  }

  @Test(arguments: TLSVersion.allCases)
  func `a client without a certificate comes where none need be shown`(version: TLSVersion) throws {
    let guest = try pair(listener(.optional), showing: nil, version: version)
    #expect(try guest.handshake().server.version == version)
    #expect(guest.server.session.clientCertificate == nil)
    let refused = try pair(listener(.required), showing: nil, version: version)
    #expect(throws: TLSError.untrusted(.missing)) { try refused.handshake() }
  }

  @Test func `a listener that asks for none knows none`() throws {
    let pair = try pair(Fixture.server(), showing: ours.issue())
    _ = try pair.handshake()
    #expect(pair.server.session.clientCertificate == nil)
  }

  @Test(arguments: 1...ClientVerification.maxIntermediates)
  func `authorities may stand between`(count: Int) throws {
    _ = try pair(listener(.required), showing: descendant(count).issue()).handshake()
  }

  @Test func `an authority vouches by itself, and not for its own`() throws {
    let team = descendant(1)
    let context = try listener(.required, authorities: team.pem)
    _ = try pair(context, showing: team.issue()).handshake()
    #expect(throws: TLSError.untrusted(.unknownAuthority)) { try pair(context, showing: ours.issue()).handshake() }
  }

  @Test(arguments: TLSVersion.allCases, [KeyHandle.Kind.rsa(bits: 2048), .ec(curve: "P-384"), .edwards(curve: "ED25519")])
  func `a client's key may be of another kind than the server's`(version: TLSVersion, kind: KeyHandle.Kind) throws {
    _ = try pair(listener(.required), showing: ours.issue(key: Fixture.key(kind)), version: version).handshake()
  }

  @Test func `every name of a listener asks for certificates`() throws {
    let context = try listener(.required, serving: [Fixture.identity(["a.test"]), Fixture.identity(["b.test"])])
    for name in ["a.test", "b.test", "c.test"] {
      let refused = try Pair(server: context, client: Fixture.client(), serverName: name)
      #expect(throws: TLSError.untrusted(.missing)) { try refused.handshake() }
      let client = Fixture.client()
      client.show(ours.issue())
      let pair = try Pair(server: context, client: client, serverName: name)
      _ = try pair.handshake()
      #expect(pair.server.session.clientCertificate?.subject == "CN=device 7")
    }
  }

  @Test(arguments: TLSVersion.allCases)
  func `clients are told whom the listener believes`(version: TLSVersion) throws {
    let context = try listener(.optional, authorities: ours.pem + Authority("theirs").pem)
    let pair = try pair(context, showing: nil, version: version)
    _ = try pair.handshake()
    #expect(pair.client.session.announcedAuthorities == ["CN=ours", "CN=theirs"])
  }

  @Test(
    arguments: [
      ([(NID_organizationName, "Ex"), (NID_commonName, "a")], "CN=a,O=Ex"),
      ([(NID_commonName, "a,O=Admins")], #"CN=a\,O=Admins"#), ([(NID_commonName, "a\r\nX-User: b")], #"CN=a\0D\0AX-User: b"#),
      ([(NID_commonName, "Zoë")], #"CN=Zo\C3\AB"#), ([(NID_commonName, "a\0b")], #"CN=a\00b"#), ([], ""),
    ] as [([(Int32, String)], String)])
  func `a subject is one line whatever it says`(subject: [(Int32, String)], expected: String) throws {
    let pair = try pair(listener(.required), showing: ours.issue(subject.map { (kind: $0, value: $1) }))
    _ = try pair.handshake()
    #expect(pair.server.session.clientCertificate?.subject == expected)
  }

  @Test func `authorities that cannot be used are refused when they are read`() throws {
    func problem(_ pem: [UInt8]) -> CertificateError.Problem? {
      do throws(CertificateError) {
        _ = try ClientVerification(.required, authorities: pem, name: "ca.pem", listener: "public")
        return nil
      } catch {
        return error.problem
      }
    }
    #expect(problem([]) == .noCertificate("none found"))
    #expect(problem(ours.pem + ours.pem) == nil)
    let nameBytes = 2 + 17
    let most = ClientVerification.maxNameBytes / nameBytes
    #expect(problem(Array(repeatElement(ours.pem, count: most).joined())) == nil)
    #expect(
      problem(Array(repeatElement(ours.pem, count: most + 1).joined())) == .tooManyAuthorities(nameBytes: (most + 1) * nameBytes))
  }
}

struct ClientCertificateResumptionTests {
  private let ring = Fixture.ring()

  @Test(arguments: TLSVersion.allCases)
  func `a session that is resumed keeps its client's certificate`(version: TLSVersion) throws {
    let context = try listener(.required, ring: ring)
    let client = Fixture.client(version...version)
    client.show(ours.issue())
    var ticket: TLSClientTicket?
    for round in 0..<3 {
      let pair = try Pair(server: context, client: client, resuming: ticket)
      #expect(try pair.handshake().server.isResumed == (round > 0))
      #expect(pair.server.session.clientCertificate?.subject == "CN=device 7")
      ticket = pair.client.session.resumptionTicket()
    }
  }

  @Test(arguments: TLSVersion.allCases, ClientVerification.Demand.allCases)
  func `a ticket is good at its own listener with the same authorities only`(
    version: TLSVersion, demand: ClientVerification.Demand
  ) throws {
    let client = Fixture.client(version...version)
    client.show(ours.issue())
    let ticket = try ticket(listener(demand, ring: ring), client)
    let both = ours.pem + Authority("theirs").pem
    let others = [
      try listener(demand, named: "other", ring: ring), try listener(demand, authorities: both, ring: ring),
      try listener(demand == .required ? .optional : .required, ring: ring), try Fixture.server(ring: ring),
    ]
    for other in others {
      let pair = try Pair(server: other, client: client, resuming: ticket)
      #expect(try pair.handshake().server.isResumed == false)
    }
    let again = try Pair(server: listener(demand, ring: ring), client: client, resuming: ticket)
    #expect(try again.handshake().server.isResumed)
    let stranger = try Pair(
      server: listener(demand, authorities: Authority("theirs").pem, ring: ring), client: client, resuming: ticket)
    #expect(throws: TLSError.untrusted(.unknownAuthority)) { try stranger.handshake() }
  }

  @Test(arguments: TLSVersion.allCases)
  func `a ticket of somebody who showed no certificate is no certificate`(version: TLSVersion) throws {
    let client = Fixture.client(version...version)
    for context in [try Fixture.server(ring: ring), try listener(.optional, ring: ring)] {
      let ticket = try ticket(context, client)
      let pair = try Pair(server: listener(.required, ring: ring), client: client, resuming: ticket)
      #expect(throws: TLSError.untrusted(.missing)) { try pair.handshake() }
    }
  }

  @Test(arguments: TLSVersion.allCases)
  func `a session ends with its client's certificate`(version: TLSVersion) throws {
    let client = Fixture.client(version...version)
    client.show(ours.issue(to: 1_000_000_000))
    let context = try listener(.required, ring: ring)
    context.verify(at: 999_999_999)
    let ticket = try ticket(context, client)
    let resumed = try Pair(server: context, client: client, resuming: ticket)
    #expect(try resumed.handshake().server.isResumed == false)
    let later = try Pair(server: listener(.required, ring: ring), client: client, resuming: ticket)
    #expect(throws: TLSError.untrusted(.expired)) { try later.handshake() }
  }

  private func ticket(_ context: TLSServerContext, _ client: TLSClientContext) throws -> TLSClientTicket? {
    let pair = try Pair(server: context, client: client)
    _ = try pair.handshake()
    return pair.client.session.resumptionTicket()
  }
}

private let ours = Authority("ours")

/// The last of so many authorities below ours.
private func descendant(_ count: Int) -> Authority {
  (0..<count).reduce(ours) { Authority("team \($1)", by: $0) }
}

private func listener(
  _ demand: ClientVerification.Demand, authorities: [UInt8] = ours.pem, named name: String = "public",
  serving identities: [PEMIdentity] = [Fixture.identity], ring: TicketKeyRing = Fixture.ring()
) throws(CertificateError) -> TLSServerContext {
  try TLSServerContext(
    certificates: identities.map { $0.source(name: "test") },
    clients: ClientVerification(demand, authorities: authorities, name: "ca.pem", listener: name), ticketKeys: ring,
    now: Fixture.now)
}

private func pair(
  _ context: TLSServerContext, showing identity: PEMIdentity?, version: TLSVersion = .tls13
) throws(TLSError) -> Pair {
  let client = Fixture.client(version...version)
  if let identity { client.show(identity) }
  return try Pair(server: context, client: client)
}

extension Certificate {
  /// SHA-256 over its DER.
  fileprivate var digest: [UInt8] {
    var bytes: UnsafeMutablePointer<UInt8>?
    let count = i2d_X509(pointer, &bytes)
    defer { CRYPTO_free(bytes, nil, 0) }
    return Digest.sha256(Array(UnsafeBufferPointer(start: bytes, count: Int(count))))
  }
}
