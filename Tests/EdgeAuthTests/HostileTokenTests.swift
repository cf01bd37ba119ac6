import EdgeAuth
import EdgeCore
import Testing

@Suite struct HostileTokenTests {
  @Test(arguments: headers)
  func `a header that asks for trust is refused`(header: String, flaw: TokenFlaw) {
    #expect(outcome(header: header, claims: goodClaims) == .invalid(flaw))
  }

  @Test(arguments: claimSets)
  func `claims that do not fit are refused`(claims: String, flaw: TokenFlaw) {
    #expect(outcome(header: goodHeader, claims: claims) == .invalid(flaw))
  }

  @Test(arguments: [
    #"{"alg":"ES256","kid":"k1","jku":"https://evil.example/keys"}"#,
    #"{"alg":"ES256","kid":"k1","x5u":"https://evil.example/c"}"#,
    #"{"alg":"ES256","kid":"k1","jwk":{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}}"#,
    #"{"alg":"ES256","kid":"k1","x5c":["AA"]}"#,
  ])
  func `a key or an address of keys in the header is not looked at`(header: String) {
    #expect(outcome(header: header, claims: goodClaims) == nil)
    #expect(outcome(of: forge.token(header: header, claims: goodClaims, key: 4, algorithm: .es256)) == .invalid(.signature))
  }

  @Test func `a public key never serves as a secret, nor a key for another algorithm`() {
    for (id, own) in [("k1", "ES256"), ("k2", "RS256"), ("k3", "EdDSA"), ("k4", "HS256")] {
      for other in ["HS256", "RS256", "ES256", "EdDSA"] where other != own {
        let header = #"{"alg":"\#(other)","kid":"\#(id)"}"#
        #expect(outcome(header: header, claims: goodClaims) == .invalid(.unknownKey) || signatureSizeDiffers(other))
      }
    }
  }

  @Test func `a key of the set whose algorithm is not allowed stays unused`() {
    let token = forge.token(header: #"{"alg":"PS256","kid":"k5"}"#, claims: goodClaims, key: 4)
    #expect(outcome(of: token) == .invalid(.algorithm))
  }

  @Test func `the signature of another key, algorithm or text is refused`() throws {
    let token = forge.token(header: goodHeader, claims: goodClaims)
    #expect(outcome(of: forge.token(header: goodHeader, claims: goodClaims, key: 2)) == .invalid(.signature))
    let parts = token.split(separator: ".").map(String.init)
    let others = forge.token(header: goodHeader, claims: #"{"sub":"root"}"#).split(separator: ".").map(String.init)
    #expect(outcome(of: "\(parts[0]).\(others[1]).\(parts[2])") == .invalid(.signature))
    #expect(outcome(of: "\(parts[0]).\(parts[1]).\(others[2])") == .invalid(.signature))
  }

  @Test func `every change of one character is refused`() {
    let token = Array(forge.token(header: goodHeader, claims: goodClaims).utf8)
    for index in token.indices {
      for byte in [UInt8(ascii: "A"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "="), 0, 0xff] where byte != token[index]
      {
        var changed = token
        changed[index] = byte
        #expect(throws: TokenError.self) { try verifier.verify(changed.span, now: issuedAt, checker: forge) }
      }
    }
  }

  @Test func `every prefix and every repetition is refused`() {
    let token = forge.token(header: goodHeader, claims: goodClaims)
    for length in 0..<token.utf8.count { #expect(outcome(of: String(token.prefix(length))) != nil) }
    for text in [token + token, token + ".", "." + token, token + "=", token + " ", " " + token, token + "\n", token + ".e30"] {
      #expect(outcome(of: text) == .invalid(.malformed), "\(text.count)")
    }
  }

  @Test(arguments: [
    "", ".", "..", "...", "a.b.c", "e30.e30.", "e30..AA", ".e30.AA", "eyJ.e30.AA", "e30.e30.AA", "é.é.é", "e30.e30.A",
  ])
  func `what is no token at all is refused`(text: String) {
    #expect(outcome(of: text) != nil)
  }

  @Test func `the limit of length is exact and comes first`() {
    #expect(outcome(of: String(repeating: "a", count: 8193)) == .invalid(.tooLong))
    #expect(outcome(of: String(repeating: "a", count: 8192)) == .invalid(.malformed))
    #expect(outcome(of: String(repeating: ".", count: 8192)) == .invalid(.malformed))
  }

  @Test func `deep JSON in either part is refused`() {
    let deep = String(repeating: "[", count: 2000) + String(repeating: "]", count: 2000)
    #expect(outcome(header: #"{"alg":"ES256","x":\#(deep)}"#, claims: goodClaims) == .invalid(.malformedHeader))
    #expect(outcome(header: goodHeader, claims: #"{"sub":"a","exp":1700003600,"x":\#(deep)}"#) == .invalid(.malformedClaims))
  }

  @Test func `bytes that are not UTF-8 are refused in both parts`() {
    let bad = Array(#"{"alg":"ES256","x":""#.utf8) + [0xff] + Array(#""}"#.utf8)
    #expect(outcome(of: forge.token(header: bad, claims: Array(goodClaims.utf8))) == .invalid(.malformedHeader))
    #expect(outcome(of: forge.token(header: Array(goodHeader.utf8), claims: [0x7b, 0xff, 0x7d])) == .invalid(.malformedClaims))
  }

  @Test func `no key at all is an unknown key`() {
    let token = forge.token(header: goodHeader, claims: goodClaims)
    #expect(throws: TokenError.invalid(.unknownKey)) {
      try TokenVerifier(requirements: requirements, keys: []).verify(token, now: issuedAt, checker: forge)
    }
  }

  @Test func `an audience that nobody here goes by is refused`() {
    let verifier = TokenVerifier(requirements: TokenRequirements(algorithms: [.es256]), keys: forge.keys)
    let named = forge.token(header: goodHeader, claims: #"{"sub":"a","exp":1700003600,"aud":"bank"}"#)
    let unnamed = forge.token(header: goodHeader, claims: #"{"sub":"a","exp":1700003600}"#)
    #expect(throws: TokenError.invalid(.audience)) { try verifier.verify(named, now: issuedAt, checker: forge) }
    #expect(throws: Never.self) { try verifier.verify(unnamed, now: issuedAt, checker: forge) }
  }

  @Test(arguments: [#""scope":null"#, #""other":1"#])
  func `a required claim must be there and say something`(claim: String) {
    var requirements = requirements
    requirements.requiredClaims = ["scope"]
    let claims = #"{"sub":"a","iss":"https://id.example/","aud":"chat","exp":1700003600,\#(claim)}"#
    #expect(throws: TokenError.invalid(.requiredClaim)) {
      try TokenVerifier(requirements: requirements, keys: forge.keys)
        .verify(forge.token(header: goodHeader, claims: claims), now: issuedAt, checker: forge)
    }
  }

  @Test func `an error says one of three words, and nothing of the token`() {
    #expect(
      [TokenError.missing, .expired, .invalid(.signature)].map(\.word) == ["token_missing", "token_expired", "token_invalid"])
    #expect(TokenFlaw.allCases.allSatisfy { "\(TokenError.invalid($0))".utf8.count < 80 })
    #expect(Set(TokenFlaw.allCases.map(\.rawValue)).count == TokenFlaw.allCases.count)
  }

  /// Whether a toy signature of key 0 has another length than `algorithm` asks for, which is found first.
  private func signatureSizeDiffers(_ algorithm: String) -> Bool { algorithm == "HS256" }
}

private let headers: [(String, TokenFlaw)] = [
  (#"{"alg":"none"}"#, .algorithm), (#"{"alg":"None"}"#, .algorithm), (#"{"alg":"NONE"}"#, .algorithm),
  (#"{"alg":"nOnE"}"#, .algorithm),
  (#"{"alg":""}"#, .algorithm), (#"{}"#, .algorithm), (#"{"alg":null}"#, .algorithm), (#"{"alg":["ES256"]}"#, .algorithm),
  (#"{"alg":256}"#, .algorithm), (#"{"alg":"es256"}"#, .algorithm), (#"{"alg":"ES256 "}"#, .algorithm),
  (#"{"alg":"ES256\u0000"}"#, .algorithm),
  (#"{"alg":"ES256K"}"#, .algorithm), (#"{"alg":"RSA-OAEP"}"#, .algorithm), (#"{"alg":"dir","enc":"A128GCM"}"#, .algorithm),
  (#"{"alg":"ES384","kid":"k1"}"#, .algorithm), (#"{"Alg":"ES256"}"#, .algorithm), (#"{"alg":"HS512"}"#, .algorithm),
  (#"{"alg":"none","alg":"ES256"}"#, .malformedHeader), (#"{"alg":"ES256","alg":"none"}"#, .malformedHeader),
  (#"{"alg":"ES256","\u0061lg":"none"}"#, .malformedHeader), (#"{"alg":"ES256","kid":"k1","kid":"k2"}"#, .malformedHeader),
  (#"["ES256"]"#, .malformedHeader), (#""ES256""#, .malformedHeader), (#"null"#, .malformedHeader), (#""#, .malformedHeader),
  (#"{"alg":"ES256"}x"#, .malformedHeader), (#"{"alg":"ES256",}"#, .malformedHeader),
  ("\u{feff}{\"alg\":\"ES256\"}", .malformedHeader), (#"{'alg':'ES256'}"#, .malformedHeader),
  (#"{"alg":"ES256","x":NaN}"#, .malformedHeader),
  (#"{"alg":"ES256","kid":"k1","crit":["exp"]}"#, .critical), (#"{"alg":"ES256","kid":"k1","crit":[]}"#, .critical),
  (#"{"alg":"ES256","kid":"k1","crit":["b64"],"b64":false}"#, .critical), (#"{"alg":"ES256","kid":"k1","b64":false}"#, .critical),
  (#"{"alg":"ES256","kid":"k1","crit":null}"#, .critical), (#"{"alg":"ES256","kid":"k1","crit":"exp"}"#, .critical),
  (#"{"alg":"ES256","kid":"k1","crit":["http://example.invalid/UNDEFINED"],"http://example.invalid/UNDEFINED":true}"#, .critical),
  (#"{"alg":"ES256","kid":1}"#, .malformedHeader), (#"{"alg":"ES256","kid":null}"#, .malformedHeader),
  (#"{"alg":"ES256","kid":["k1"]}"#, .malformedHeader), (#"{"alg":"ES256","kid":"k1","typ":1}"#, .malformedHeader),
  (#"{"alg":"ES256","kid":""}"#, .unknownKey), (#"{"alg":"ES256","kid":"K1"}"#, .unknownKey),
  (#"{"alg":"ES256","kid":"k1 "}"#, .unknownKey),
  (#"{"alg":"ES256","kid":"k1\u0000"}"#, .unknownKey), (#"{"alg":"ES256","kid":"../../dev/null"}"#, .unknownKey),
  (#"{"alg":"ES256","kid":"' OR 1=1 --"}"#, .unknownKey), (#"{"alg":"ES256","kid":"k2"}"#, .unknownKey),
]

private let claimSets: [(String, TokenFlaw)] = [
  ("", .malformedClaims), ("null", .malformedClaims), ("[]", .malformedClaims), (#""alice""#, .malformedClaims),
  ("{", .malformedClaims),
  (claims(#""sub":"alice","sub":"root""#), .malformedClaims), (claims(#""sub":"alice","s\u0075b":"root""#), .malformedClaims),
  (claims(#""sub":"alice","exp":1800000000"#), .malformedClaims), (claims(#""sub":"alice""#) + "{}", .malformedClaims),
  (claims(#""sub":"a\#u{0}b""#), .malformedClaims), (claims(#""sub":"\ud800""#), .malformedClaims),
  (claims(#""sub":"a","x":01"#), .malformedClaims),
  (claims(#""x":1"#), .subject), (claims(#""sub":"""#), .subject), (claims(#""sub":null"#), .subject),
  (claims(#""sub":42"#), .subject),
  (claims(#""sub":true"#), .subject), (claims(#""sub":["alice"]"#), .subject), (claims(#""sub":{"id":1}"#), .subject),
  (claims(#""Sub":"alice""#), .subject), (claims(#""sub":"a\nb""#), .subject), (claims(#""sub":"a\r\nX-Admin: 1""#), .subject),
  (claims(#""sub":"a\u0000""#), .subject), (claims(#""sub":"a\u001b[2J""#), .subject), (claims(#""sub":"a\u007f""#), .subject),
  (claims(#""sub":"a\u0085b""#), .subject), (claims(#""sub":"a\u009b""#), .subject),
  (claims("\"sub\":\"\(String(repeating: "a", count: 1025))\""), .subject),
  (claims(#""sub":"a","jti":1"#), .tokenID), (claims(#""sub":"a","jti":"x\ny""#), .tokenID),
  (claims(#""sub":"a","jti":null"#), .tokenID),
  (#"{"sub":"a","aud":"chat","exp":1700003600}"#, .issuer),
  (#"{"sub":"a","iss":"https://id.example","aud":"chat","exp":1700003600}"#, .issuer),
  (#"{"sub":"a","iss":"https://id.example/ ","aud":"chat","exp":1700003600}"#, .issuer),
  (#"{"sub":"a","iss":"HTTPS://id.example/","aud":"chat","exp":1700003600}"#, .issuer),
  (#"{"sub":"a","iss":["https://id.example/"],"aud":"chat","exp":1700003600}"#, .issuer),
  (#"{"sub":"a","iss":null,"aud":"chat","exp":1700003600}"#, .issuer),
  (audience(nil), .audience), (audience(#""bank""#), .audience), (audience(#""Chat""#), .audience),
  (audience(#""chat ""#), .audience),
  (audience(#""chatter""#), .audience), (audience(#""""#), .audience), (audience("[]"), .audience),
  (audience(#"["bank"]"#), .audience),
  (audience(#"[["chat"]]"#), .audience), (audience(#"["chat",1]"#), .audience), (audience(#"["chat",null]"#), .audience),
  (audience(#"{"chat":true}"#), .audience), (audience("null"), .audience), (audience("1"), .audience),
  (audience("true"), .audience),
]

private func claims(_ more: String) -> String {
  #"{"iss":"https://id.example/","aud":"chat","exp":1700003600,\#(more)}"#
}

private func audience(_ value: String?) -> String {
  #"{"sub":"a","iss":"https://id.example/","exp":1700003600\#(value.map { #","aud":\#($0)"# } ?? "")}"#
}
