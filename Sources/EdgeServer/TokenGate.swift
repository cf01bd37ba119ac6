import EdgeAuth
import EdgeCore
import EdgeHTTP
import EdgeTLS

/// One `auth` of the configuration: where tokens are looked for, and who judges them.
final class TokenGate: Sendable {
  /// The name of the `auth`; with a token's subject it makes the user.
  let name: String
  private let sources: [TokenSource]
  private let verifier: TokenVerifier
  private let keys: VerificationKeys

  init(name: String, sources: [TokenSource], verifier: TokenVerifier, keys: VerificationKeys) {
    self.name = name
    self.sources = sources
    self.verifier = verifier
    self.keys = keys
  }

  /// Finds the request's token in the first of the places that has one, and verifies it.
  ///
  /// - Parameter cache: spares the signature of a token that was verified before.
  func verify(_ head: RequestHead, now: WallTime, cache: inout TokenCache) throws(TokenError) -> VerifiedToken {
    guard let found = try TokenCarriers(head).token(from: sources) else { throw .missing }
    return try verify(found.text, now: now, cache: &cache)
  }

  /// Verifies a token that came another way than with a request.
  func verify(_ text: String, now: WallTime, cache: inout TokenCache) throws(TokenError) -> VerifiedToken {
    let key = Digest.sha256(Array("\(name)\0\(text)".utf8))
    if let token = cache.token(for: key) {
      try verifier.recheck(token, now: now)
      return token
    }
    let token = try verifier.verify(text, now: now, checker: keys)
    cache.keep(token, for: key)
    return token
  }

  /// Whether a WebSocket may bring its token in its first message.
  var takesFirstMessage: Bool { sources.contains(.firstMessage) }

  /// How long who came in with `token` may stay.
  func life(of token: VerifiedToken) -> TokenLife {
    token.life(leeway: verifier.requirements.leeway)
  }

  /// Takes the token out of a request, for its worker, from every place where it may be.
  func strip(_ head: inout RequestHead) {
    var carriers = TokenCarriers(head)
    for source in sources { carriers.removeToken(in: source) }
    head.fields.replaceAll("Authorization", with: carriers.authorization)
    head.fields.replaceAll("Cookie", with: carriers.cookies)
    head.fields.replaceAll("Sec-WebSocket-Protocol", with: carriers.subprotocols)
    if carriers.query != head.target.query { head.target = head.target.withQuery(carriers.query) }
  }

  /// The subprotocols without those that bear a token, where this is a place for one.
  func withoutTokens(_ subprotocols: [String]) -> [String] {
    guard sources.contains(.subprotocol) else { return subprotocols }
    var carriers = TokenCarriers(subprotocols: subprotocols)
    carriers.removeToken(in: .subprotocol)
    return carriers.subprotocols
  }
}

extension TokenCarriers {
  fileprivate init(_ head: RequestHead) {
    self.init(
      authorization: head.fields.all("Authorization"), cookies: head.fields.all("Cookie"),
      subprotocols: head.fields.all("Sec-WebSocket-Protocol"), query: head.target.query)
  }
}

extension HTTPFields {
  fileprivate mutating func replaceAll(_ name: String, with values: [String]) {
    guard all(name) != values else { return }
    remove(name)
    for value in values { add(name, value) }
  }
}
