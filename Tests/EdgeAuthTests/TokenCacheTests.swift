import EdgeAuth
import EdgeCore
import Testing

@Suite struct `A cache of verified tokens` {
  @Test func `gives back what it was given, under its key alone`() throws {
    var cache = TokenCache()
    cache.keep(try token("alice"), for: key(1))
    #expect(cache.token(for: key(1))?.subject == "alice")
    #expect(cache.token(for: key(2))?.subject == nil)
  }

  @Test func `never holds more than twice its capacity, whatever comes`() throws {
    var cache = TokenCache(capacity: 10)
    let token = try token("alice")
    for number in 0..<1000 {
      cache.keep(token, for: key(number))
      #expect(cache.count <= 20)
    }
  }

  @Test func `keeps what is asked for while others pass through`() throws {
    var cache = TokenCache(capacity: 4)
    cache.keep(try token("alice"), for: key(1000))
    let other = try token("mallory")
    for number in 0..<100 {
      cache.keep(other, for: key(number))
      #expect(cache.token(for: key(1000))?.subject == "alice")
    }
  }

  @Test func `a hit does not outlive the token`() throws {
    let token = try token("alice")
    try verifier.recheck(token, now: issuedAt)
    #expect(throws: TokenError.expired) { try verifier.recheck(token, now: token.life(leeway: .seconds(30)).end) }
    #expect(throws: TokenError.invalid(.issuedInFuture)) { try verifier.recheck(token, now: WallTime(seconds: 0)) }
  }

  @Test func `two keys are one only if all of the digest is`() {
    let digest = Array(0..<32 as Range<UInt8>)
    for index in digest.indices {
      var other = digest
      other[index] ^= 1
      #expect(TokenCache.Key(digest: other) != TokenCache.Key(digest: digest))
    }
    #expect(TokenCache.Key(digest: digest) == TokenCache.Key(digest: digest))
  }

  @Test func `no other name, generation or token gives the same input to the digest`() {
    let texts = ["", "a", "aa", "a\0", "\0a", "\u{1}"]
    let generations: [UInt64] = [0, 1, 256, UInt64(UInt8(ascii: "a")), .max]
    var inputs: Set<[UInt8]> = []
    for auth in texts {
      for generation in generations {
        for token in texts { inputs.insert(TokenCache.Scope(auth: auth, generation: generation).input(for: token)) }
      }
    }
    #expect(inputs.count == texts.count * generations.count * texts.count)
  }

  private func key(_ number: Int) -> TokenCache.Key {
    TokenCache.Key(digest: (0..<32).map { UInt8(truncatingIfNeeded: number >> ($0 % 8 * 8)) })
  }

  private func token(_ subject: String) throws -> VerifiedToken {
    let claims = goodClaims.split(separator: "alice", omittingEmptySubsequences: false).joined(separator: subject)
    return try verifier.verify(forge.token(header: goodHeader, claims: claims), now: issuedAt, checker: forge)
  }
}
