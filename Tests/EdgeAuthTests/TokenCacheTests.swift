import EdgeAuth
import EdgeCore
import Testing

@Suite struct `A cache of verified tokens` {
  @Test func `gives back what it was given, under its key alone`() throws {
    var cache = TokenCache()
    cache.keep(try token("alice"), for: [1])
    #expect(cache.token(for: [1])?.subject == "alice")
    #expect(cache.token(for: [2])?.subject == nil)
  }

  @Test func `never holds more than twice its capacity, whatever comes`() throws {
    var cache = TokenCache(capacity: 10)
    let token = try token("alice")
    for number in 0..<1000 as Range<UInt16> {
      cache.keep(token, for: [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)])
      #expect(cache.count <= 20)
    }
  }

  @Test func `keeps what is asked for while others pass through`() throws {
    var cache = TokenCache(capacity: 4)
    cache.keep(try token("alice"), for: [255, 255])
    let other = try token("mallory")
    for number in 0..<100 as Range<UInt8> {
      cache.keep(other, for: [number])
      #expect(cache.token(for: [255, 255])?.subject == "alice")
    }
  }

  @Test func `a hit does not outlive the token`() throws {
    let token = try token("alice")
    try verifier.recheck(token, now: issuedAt)
    #expect(throws: TokenError.expired) { try verifier.recheck(token, now: token.life(leeway: .seconds(30)).end) }
    #expect(throws: TokenError.invalid(.issuedInFuture)) { try verifier.recheck(token, now: WallTime(seconds: 0)) }
  }

  private func token(_ subject: String) throws -> VerifiedToken {
    let claims = goodClaims.split(separator: "alice", omittingEmptySubsequences: false).joined(separator: subject)
    return try verifier.verify(forge.token(header: goodHeader, claims: claims), now: issuedAt, checker: forge)
  }
}
