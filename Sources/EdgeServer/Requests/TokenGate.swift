import EdgeAuth
import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgeTelemetry

/// One `auth` of the configuration: where tokens are looked for, and who judges them.
final class TokenGate: Sendable {
  private let sources: [TokenSource]
  private let keys: KeyRing
  /// Who may know a key that the ring does not; nil where the keys are in a file.
  private let fetcher: KeyFetcher?

  init(sources: [TokenSource], keys: KeyRing, fetcher: KeyFetcher? = nil) {
    self.sources = sources
    self.keys = keys
    self.fetcher = fetcher
  }

  /// The name of the `auth`; with a token's subject it makes the user.
  var name: String { keys.auth }

  /// Finds the request's token in the first of the places that has one, and verifies it.
  ///
  /// - Parameters:
  ///   - cache: spares the signature of a token that was verified before; its times are checked all the same.
  ///   - metrics: counts what the cache was good for.
  func verify(
    _ head: RequestHead, now: WallTime, cache: inout TokenCache, metrics: ReactorMetrics
  ) throws(TokenError) -> VerifiedToken {
    guard let found = try TokenCarriers(head, for: sources).token(from: sources) else { throw .missing }
    return try verify(found.text, now: now, cache: &cache, metrics: metrics)
  }

  /// Verifies a token that came another way than with a request.
  func verify(
    _ text: String, now: WallTime, cache: inout TokenCache, metrics: ReactorMetrics
  ) throws(TokenError) -> VerifiedToken {
    let keys = keys.generation
    let key = keys.cacheKey(of: text)
    guard let known = cache.token(for: key) else {
      metrics.tokenLookedUp(.miss)
      let token = try verify(text, with: keys, now: now)
      cache.keep(token, for: key)
      return token
    }
    do {
      try keys.recheck(known, now: now)
    } catch {
      metrics.tokenLookedUp(.expired)
      cache.forget(key)
      throw error
    }
    metrics.tokenLookedUp(.hit)
    return known
  }

  private func verify(_ token: String, with keys: KeyGeneration, now: WallTime) throws(TokenError) -> VerifiedToken {
    do {
      return try keys.verify(token, now: now)
    } catch .invalid(.unknownKey) {
      // Refused all the same: the client comes again, and finds fresher keys.
      fetcher?.missed(TokenVerifier.keyID(of: token), now: MonotonicClock.now())
      throw .invalid(.unknownKey)
    }
  }

  /// Whether a WebSocket may bring its token in its first message.
  var takesFirstMessage: Bool { sources.contains(.firstMessage) }

  /// How long who came in with `token` may stay.
  func life(of token: VerifiedToken) -> TokenLife {
    token.life(leeway: keys.requirements.leeway)
  }

  /// Takes the token out of a request, for its worker, from every place where it may be.
  func strip(_ head: inout RequestHead) {
    let found = TokenCarriers(head, for: sources)
    var left = found
    for source in sources { left.removeToken(in: source) }
    head.fields.replaceAll("Authorization", found.authorization, with: left.authorization)
    head.fields.replaceAll("Cookie", found.cookies, with: left.cookies)
    head.fields.replaceAll("Sec-WebSocket-Protocol", found.subprotocols, with: left.subprotocols)
    if left.query != found.query { head.target = head.target.withQuery(left.query) }
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
  /// Collects the pieces that can hold a token of these sources.
  fileprivate init(_ head: RequestHead, for sources: [TokenSource]) {
    self.init()
    for source in sources {
      switch source {
      case .header: authorization = head.fields.all("Authorization")
      case .cookie: cookies = head.fields.all("Cookie")
      case .subprotocol: subprotocols = head.fields.all("Sec-WebSocket-Protocol")
      case .query: query = head.target.query
      case .firstMessage: break
      }
    }
  }
}

extension HTTPFields {
  /// Gives the fields of a name these values, unless they have them.
  mutating func replaceAll(_ name: String, with values: [String]) {
    replaceAll(name, all(name), with: values)
  }

  /// The same, where it is known which values they have.
  fileprivate mutating func replaceAll(_ name: String, _ present: [String], with values: [String]) {
    guard values != present else { return }
    remove(name)
    for value in values { add(name, value) }
  }
}
