import EdgeAuth
import EdgeCore
import EdgeHTTP
import EdgeTLS
import EdgeTelemetry
import Testing

@testable import EdgeServer

@Suite struct `The gate for tokens` {
  @Test(arguments: TokenPlace.all)
  func `finds a token where it is to look, and nowhere else`(place: TokenPlace) throws {
    let minted = try Minted()
    let head = try place.request(minted.token)
    var cache = TokenCache()
    let found = try minted.gate([place.source]).verify(head, now: minted.now, cache: &cache, metrics: metrics)
    #expect(found.subject == "alice")
    for other in TokenPlace.all where other.source != place.source {
      #expect(throws: TokenError.missing) {
        try minted.gate([other.source]).verify(head, now: minted.now, cache: &cache, metrics: metrics)
      }
    }
  }

  @Test func `a token that was verified before still expires`() throws {
    let minted = try Minted()
    let head = try TokenPlace.all[0].request(minted.token)
    let gate = minted.gate([.header])
    var cache = TokenCache()
    let first = try gate.verify(head, now: minted.now, cache: &cache, metrics: metrics)
    #expect(cache.count == 1)
    let again = try gate.verify(head, now: minted.now, cache: &cache, metrics: metrics)
    #expect(again.subject == first.subject && cache.count == 1)
    let later = WallTime(seconds: minted.now.seconds + 1_000_000)
    #expect(throws: TokenError.expired) { try gate.verify(head, now: later, cache: &cache, metrics: metrics) }
    #expect(cache.count == 0)
  }

  @Test func `a removed key takes the tokens that it signed out of the cache with it, and brings them back with it`() throws {
    let minted = try Minted()
    let head = try TokenPlace.all[0].request(minted.token)
    let gate = minted.gate([.header])
    var cache = TokenCache()
    func user() throws -> String {
      try gate.verify(head, now: minted.now, cache: &cache, metrics: metrics).subject
    }
    #expect(try user() == "alice")
    minted.ring.replace(with: try KeyBundle(secret: [UInt8](repeating: 8, count: 32), algorithms: [.hs256]))
    #expect(throws: TokenError.invalid(.signature)) { try user() }
    minted.ring.replace(with: .none)
    #expect(throws: TokenError.invalid(.unknownKey)) { try user() }
    minted.ring.replace(with: try KeyBundle(secret: [UInt8](repeating: 7, count: 32), algorithms: [.hs256]))
    #expect(try user() == "alice")
    #expect(minted.ring.generation.number == 4)
  }

  @Test func `the same keys once more are the same generation, and what was verified stays so`() throws {
    let minted = try Minted()
    let generation = minted.ring.generation
    minted.ring.replace(with: try KeyBundle(secret: [UInt8](repeating: 7, count: 32), algorithms: [.hs256]))
    #expect(minted.ring.generation === generation)
  }

  @Test func `two auths with the same keys do not share what they verified`() throws {
    let minted = try Minted()
    let keys = try KeyBundle(secret: [UInt8](repeating: 7, count: 32), algorithms: [.hs256])
    let other = KeyRing(auth: "other", requirements: minted.ring.requirements, keys: keys)
    #expect(other.generation.number == minted.ring.generation.number)
    #expect(other.generation.cacheKey(of: minted.token) != minted.ring.generation.cacheKey(of: minted.token))
  }

  @Test(arguments: TokenPlace.all)
  func `takes the token out of the worker's request and leaves all else`(place: TokenPlace) throws {
    let minted = try Minted()
    var head = try place.request(minted.token)
    minted.gate([place.source]).strip(&head)
    #expect(!"\(head)".contains(minted.token))
    #expect(head.fields["X-Other"] == "kept")
    #expect(head.target.description == place.targetAfter)
    #expect(head.fields.all("Cookie") == place.cookiesAfter)
  }

  @Test func `leaves a request alone that bears no token`() throws {
    let minted = try Minted()
    let head = try parsed("GET /ws?a=%zz&&b HTTP/1.1\r\nHost: a\r\nCookie: a=1;b=2\r\nAuthorization: Basic eA==\r\n\r\n")
    var stripped = head
    minted.gate(TokenPlace.all.map(\.source)).strip(&stripped)
    #expect(stripped == head)
  }

  @Test func `never offers a token to the worker as a subprotocol`() throws {
    let minted = try Minted()
    let offered = ["chat.v1", "bearer.\(minted.token)", "chat.v2"]
    #expect(minted.gate([.header, .subprotocol]).withoutTokens(offered) == ["chat.v1", "chat.v2"])
    #expect(minted.gate([.header]).withoutTokens(offered) == offered)
  }
}

/// A place in a request that can hold a token.
struct TokenPlace: Sendable, CustomTestStringConvertible {
  let source: TokenSource
  /// The target and the fields that bear `TOKEN`.
  let target: String
  let field: String
  var targetAfter = "/ws"
  var cookiesAfter: [String] = []
  var testDescription: String { source.description }

  static let all = [
    TokenPlace(source: .header, target: "/ws", field: "Authorization: Bearer TOKEN"),
    TokenPlace(source: .cookie(name: "session"), target: "/ws", field: "Cookie: a=1; session=TOKEN", cookiesAfter: ["a=1"]),
    TokenPlace(source: .subprotocol, target: "/ws", field: "Sec-WebSocket-Protocol: chat.v1, bearer.TOKEN"),
    TokenPlace(source: .query(name: "token"), target: "/ws?room=1&%74oken=TOKEN", field: "X: y", targetAfter: "/ws?room=1"),
  ]

  func request(_ token: String) throws -> RequestHead {
    try parsed("GET \(target) HTTP/1.1\r\nHost: a\r\n\(field)\r\nX-Other: kept\r\n\r\n".replacing("TOKEN", with: token))
  }
}

/// A token, and gates that know its key.
private struct Minted {
  let token: String
  let now = WallTime(seconds: 1_000)
  let ring: KeyRing

  init() throws {
    let secret = [UInt8](repeating: 7, count: 32)
    let draft = TokenDraft(algorithm: .hs256, subject: "alice", issuedAt: now, lifetime: .seconds(60))
    token = draft.token(signature: try SigningKey(secret: secret, algorithm: .hs256).sign(draft.signingInput))
    let keys = try KeyBundle(secret: secret, algorithms: [.hs256])
    ring = KeyRing(auth: "main", requirements: TokenRequirements(algorithms: [.hs256]), keys: keys)
  }

  func gate(_ sources: [TokenSource]) -> TokenGate {
    TokenGate(sources: sources, keys: ring)
  }
}

private let metrics = ReactorMetrics(layout: MetricLayout(routes: [], listeners: [], protocolErrors: []))

private func parsed(_ text: String) throws -> RequestHead {
  var parser = RequestHeadParser(limits: HeadLimits())
  switch try parser.receive(Array(text.utf8).span) {
  case .complete(let head, consumed: _): return head
  case .needMore: throw HTTPParseError.targetForm
  }
}
