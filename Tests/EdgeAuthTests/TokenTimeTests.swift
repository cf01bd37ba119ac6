import EdgeAuth
import EdgeCore
import Testing

@Suite struct TokenTimeTests {
  /// Seconds from `issuedAt` to now; leeway is 30 s and the lifetime an hour.
  @Test(
    arguments: [
      (#""exp":1700003600"#, 3629, nil), (#""exp":1700003600"#, 3630, TokenError.expired), (#""exp":1700003600"#, 9999, .expired),
      (#""exp":1700003600.9"#, 3630, nil), (#""exp":1700003600.9"#, 3631, .expired), (#""exp":1.7000036e9"#, 0, nil),
      (#""exp":0"#, 0, .expired), (#""exp":-1"#, 0, .expired), (#""exp":9223372036854775807"#, 0, nil), (#""exp":1e300"#, 0, nil),
      (#""exp":-1e300"#, 0, .expired),
      (#""exp":"1700003600""#, 0, .invalid(.expiry)), (#""exp":null"#, 0, .invalid(.expiry)),
      (#""exp":true"#, 0, .invalid(.expiry)),
      (#""exp":[1700003600]"#, 0, .invalid(.expiry)), (#""exp":{}"#, 0, .invalid(.expiry)), (#""x":0"#, 0, .invalid(.expiry)),
      (#""exp":1700003600,"nbf":1700000030"#, 0, nil), (#""exp":1700003600,"nbf":1700000031"#, 0, .invalid(.notYetValid)),
      (#""exp":1700003600,"nbf":1700000031"#, 1, nil), (#""exp":1700003600,"nbf":"0""#, 0, .invalid(.notYetValid)),
      (#""exp":1700003600,"nbf":null"#, 0, .invalid(.notYetValid)),
      (#""exp":1700003600,"iat":1700000030"#, 0, nil), (#""exp":1700003600,"iat":1700000031"#, 0, .invalid(.issuedInFuture)),
      (#""exp":1700003600,"iat":"now""#, 0, .invalid(.issuedInFuture)),
      (#""exp":1700003600,"iat":1e308"#, 0, .invalid(.issuedInFuture)),
    ] as [(String, Int64, TokenError?)])
  func `times hold to the second, give or take the leeway`(times: String, seconds: Int64, error: TokenError?) {
    let claims = #"{"sub":"alice","iss":"https://id.example/","aud":"chat",\#(times)}"#
    let now = WallTime(seconds: issuedAt.seconds + seconds)
    #expect(outcome(header: goodHeader, claims: claims, now: now) == error)
  }

  @Test func `a clock at the end of time does not trap`() {
    for now in [WallTime(nanoseconds: .max), WallTime(nanoseconds: .min)] {
      #expect(outcome(header: goodHeader, claims: goodClaims, now: now) != nil)
    }
  }
}

/// The error that a token of these texts, signed by key 0, meets; nil if it is accepted.
func outcome(header: String, claims: String, now: WallTime = issuedAt) -> TokenError? {
  outcome(of: forge.token(header: header, claims: claims), now: now)
}

/// The error that a token meets; nil if it is accepted.
func outcome(of token: String, now: WallTime = issuedAt) -> TokenError? {
  do throws(TokenError) {
    _ = try verifier.verify(token, now: now, checker: forge)
    return nil
  } catch {
    return error
  }
}
