import EdgeAuth
import EdgeCore
import Testing

@Suite struct GenuineTokenTests {
  @Test func `a good token gives its subject, its times and its claims`() throws {
    let claims =
      #"{"sub":"alice","iss":"https://id.example/","aud":["x","chat"],"nbf":1700000000.5,"iat":1700000000,"exp":1700003600,"jti":"7","team":"red"}"#
    let token = try verifier.verify(forge.token(header: goodHeader, claims: claims), now: issuedAt, checker: forge)
    #expect(token.subject == "alice")
    #expect(token.expires == WallTime(seconds: 1_700_003_600))
    #expect(token.notBefore == WallTime(nanoseconds: 1_700_000_000_500_000_000))
    #expect(token.issuedAt == issuedAt)
    #expect(token.tokenID == "7")
    #expect(token.claims["team"] == "red")
  }

  @Test(arguments: 0..<4)
  func `each key verifies with its own algorithm`(key: Int) throws {
    let header = #"{"alg":"\#(forge.keys[key].algorithm.rawValue)","kid":"k\#(key + 1)"}"#
    #expect(
      try verifier.verify(forge.token(header: header, claims: goodClaims, key: key), now: issuedAt, checker: forge).subject
        == "alice")
  }

  @Test func `without kid every key of the algorithm is tried`() throws {
    let keys = [TokenKey(id: "a", algorithm: .es256), TokenKey(id: "b", algorithm: .rs256), TokenKey(id: "c", algorithm: .es256)]
    let forge = TokenForge(keys: keys)
    let token = forge.token(header: #"{"alg":"ES256"}"#, claims: goodClaims, key: 2)
    #expect(throws: Never.self) {
      try TokenVerifier(requirements: requirements, keys: keys).verify(token, now: issuedAt, checker: forge)
    }
  }

  @Test func `a key without a name serves every kid`() throws {
    let forge = TokenForge(keys: [TokenKey(id: nil, algorithm: .es256)])
    let token = forge.token(header: goodHeader, claims: goodClaims)
    #expect(throws: Never.self) {
      try TokenVerifier(requirements: requirements, keys: forge.keys).verify(token, now: issuedAt, checker: forge)
    }
  }

  @Test func `too many keys without kid are not tried`() {
    let keys = (0..<9).map { TokenKey(id: "k\($0)", algorithm: .es256) }
    let forge = TokenForge(keys: keys)
    #expect(throws: TokenError.invalid(.ambiguousKey)) {
      try TokenVerifier(requirements: requirements, keys: keys)
        .verify(forge.token(header: #"{"alg":"ES256"}"#, claims: goodClaims), now: issuedAt, checker: forge)
    }
  }

  @Test func `another claim may name the user, and may be a number`() throws {
    var requirements = requirements
    requirements.userClaim = "uid"
    let verifier = TokenVerifier(requirements: requirements, keys: forge.keys)
    let claims = #"{"uid":42,"iss":"https://id.example/","aud":"chat","exp":1700003600}"#
    #expect(try verifier.verify(forge.token(header: goodHeader, claims: claims), now: issuedAt, checker: forge).subject == "42")
  }

  @Test func `what a draft mints, the verifier accepts`() throws {
    let draft = TokenDraft(
      algorithm: .es256, keyID: "k1", subject: "bob", issuedAt: issuedAt, lifetime: .seconds(60), issuer: "https://id.example/",
      audience: ["other", "chat"], more: [.init(name: "team", value: "blue")])
    let signed = forge.token(header: goodHeader, claims: goodClaims)
    #expect(signed.hasPrefix("eyJ"))
    let input = String(decoding: draft.signingInput, as: UTF8.self)
    let checker = KnownSignature(input: input, signature: Array(repeating: 7, count: 64))
    let token = try verifier.verify(draft.token(signature: Array(repeating: 7, count: 64)), now: issuedAt, checker: checker)
    #expect(token.subject == "bob")
    #expect(token.expires == WallTime(seconds: 1_700_000_060))
    #expect(token.claims["team"] == "blue")
  }
}

/// The examples of RFC 7515 appendix A and RFC 8037 appendix A.4; the payload names its user in `iss`.
@Suite struct StandardExampleTests {
  private static let joe = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

  @Test(arguments: [
    ("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", SignatureAlgorithm.hs256),
    ("eyJhbGciOiJFUzI1NiJ9", "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q", .es256),
  ])
  func `the tokens of RFC 7515 A·1 and A·3 are taken apart as the standard does`(
    header: String, signature: String, algorithm: SignatureAlgorithm
  ) throws {
    let checker = KnownSignature(input: "\(header).\(Self.joe)", signature: try #require(Base64.urlSafe.decode(signature)))
    let requirements = TokenRequirements(algorithms: [algorithm], userClaim: "iss")
    let verifier = TokenVerifier(requirements: requirements, keys: [TokenKey(id: nil, algorithm: algorithm)])
    let text = "\(header).\(Self.joe).\(signature)"
    let token = try verifier.verify(text, now: WallTime(seconds: 1_300_000_000), checker: checker)
    #expect(token.subject == "joe")
    #expect(token.claims["http://example.com/is_root"] == true)
    #expect(throws: TokenError.expired) { try verifier.verify(text, now: WallTime(seconds: 1_400_000_000), checker: checker) }
  }

  @Test func `the payload of RFC 8037 A·4 is signed, but makes no claims`() throws {
    let input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    let checker = KnownSignature(input: input, signature: try #require(Base64.urlSafe.decode(signature)))
    let verifier = TokenVerifier(
      requirements: TokenRequirements(algorithms: [.edDSA]), keys: [TokenKey(id: nil, algorithm: .edDSA)])
    #expect(throws: TokenError.invalid(.malformedClaims)) {
      try verifier.verify("\(input).\(signature)", now: issuedAt, checker: checker)
    }
  }

  @Test func `the unsecured token of RFC 7515 A·5 is refused`() {
    #expect(throws: TokenError.invalid(.algorithm)) {
      try verifier.verify("eyJhbGciOiJub25lIn0.\(Self.joe).", now: WallTime(seconds: 1_300_000_000), checker: forge)
    }
  }
}
