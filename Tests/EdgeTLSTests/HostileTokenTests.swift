import EdgeAuth
import Testing

@testable import EdgeTLS

/// Tricks against real keys of every type. Tests/EdgeAuthTests has those that need no cryptography.
@Suite struct `Hostile tokens` {
  @Test(arguments: HostileToken.all)
  func `a trick fails on every key that it fits, and where it was aimed`(hostile: HostileToken) throws {
    for victim in Victim.all where hostile.fits(victim) {
      for token in try hostile.make(victim) {
        #expect(Victim.verdict(on: token) == hostile.verdict, "\(hostile.trick), \(victim.id)")
      }
    }
  }

  @Test func `there are more than eighty tricks, all different, and keys of every type`() throws {
    #expect(HostileToken.all.count >= 80)
    #expect(Set(HostileToken.all.map(\.trick)).count == HostileToken.all.count)
    #expect(Victim.all.count == 10)
    for hostile in HostileToken.all {
      #expect(try Victim.all.contains { try hostile.fits($0) && !hostile.make($0).isEmpty }, "\(hostile.trick)")
    }
  }

  @Test(arguments: Victim.all)
  func `the token that all tricks start from is accepted`(victim: Victim) throws {
    #expect(Victim.verdict(on: try victim.signed()) == nil)
    #expect(Victim.verdict(on: try victim.resigned { signature, _ in signature }) == nil)
    #expect(Victim.verdict(on: try victim.edited { $0 }) == nil)
    #expect(Victim.verdict(on: try victim.forged(by: victim.key, header: victim.header())) == nil)
  }

  @Test(arguments: Victim.all)
  func `times count to the moment`(victim: Victim) throws {
    for good in [
      claims("exp", "1699999970.000001"), claims("exp", "1699999971"), claims("exp", "9223372036854775807"),
      claims("exp", "1e300"),
      claims("nbf", "1700000030"), claims("nbf", "-1"), claims("iat", "1700000030"), claims("aud", #"["bank","chat"]"#),
    ] { #expect(Victim.verdict(on: try victim.signed(claims: good)) == nil, "\(good)") }
  }
}

extension HostileToken: CustomTestStringConvertible {
  var testDescription: String { trick }
}
