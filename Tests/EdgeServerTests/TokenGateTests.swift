import EdgeAuth
import EdgeCore
import EdgeHTTP
import EdgeTLS
import Testing

@testable import EdgeServer

@Suite struct `The gate for tokens` {
  @Test(arguments: TokenPlace.all)
  func `finds a token where it is to look, and nowhere else`(place: TokenPlace) throws {
    let minted = try Minted()
    let head = try place.request(minted.token)
    var cache = TokenCache()
    let found = try minted.gate([place.source]).verify(head, now: minted.now, cache: &cache)
    #expect(found.subject == "alice")
    for other in TokenPlace.all where other.source != place.source {
      #expect(throws: TokenError.missing) {
        try minted.gate([other.source]).verify(head, now: minted.now, cache: &cache)
      }
    }
  }

  @Test func `a token that was verified before still expires`() throws {
    let minted = try Minted()
    let head = try TokenPlace.all[0].request(minted.token)
    let gate = minted.gate([.header])
    var cache = TokenCache()
    let first = try gate.verify(head, now: minted.now, cache: &cache)
    #expect(cache.count == 1)
    let again = try gate.verify(head, now: minted.now, cache: &cache)
    #expect(again.subject == first.subject && cache.count == 1)
    let later = WallTime(seconds: minted.now.seconds + 1_000_000)
    #expect(throws: TokenError.expired) { try gate.verify(head, now: later, cache: &cache) }
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
  private let key: SigningKey

  init() throws {
    key = try SigningKey(generating: .hs256)
    let draft = TokenDraft(algorithm: .hs256, subject: "alice", issuedAt: now, lifetime: .seconds(60))
    token = draft.token(signature: try key.sign(draft.signingInput))
  }

  func gate(_ sources: [TokenSource]) -> TokenGate {
    let verifier = TokenVerifier(
      requirements: TokenRequirements(algorithms: [.hs256]), keys: [TokenKey(id: nil, algorithm: .hs256)])
    return TokenGate(name: "main", sources: sources, verifier: verifier, keys: VerificationKeys([key.verificationKey]))
  }
}

private func parsed(_ text: String) throws -> RequestHead {
  var parser = RequestHeadParser(limits: HeadLimits())
  switch try parser.receive(Array(text.utf8).span) {
  case .complete(let head, consumed: _): return head
  case .needMore: throw HTTPParseError.targetForm
  }
}
