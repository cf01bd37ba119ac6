import EdgeAuth
import EdgeCore
import Testing

@Suite struct KeySetTests {
  @Test func `the keys of RFC 7517 A·1 are read, and the one for encryption is skipped`() throws {
    let set = try keySet([
      #"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"}"#,
      #"{"kty":"RSA","n":"\#(rsaModulus)","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#,
    ])
    #expect(set.keys.map(\.tokenKey) == [TokenKey(id: "2011-04-29", algorithm: .rs256)])
    #expect(set.skipped.map(\.position) == [0])
    #expect(set.skipped.map(\.reason) == [.notForVerifying])
    guard case .rsa(let modulus, let exponent)? = set.keys.first?.material else { throw WrongKind() }
    #expect(modulus.count == 256)
    #expect(exponent == [1, 0, 1])
  }

  @Test func `the key of RFC 8037 A·2 is read`() throws {
    let key = try #require(
      keySet([#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#]).keys.first)
    #expect(key.algorithm == .edDSA)
    #expect(key.id == nil)
    guard case .okp(curve: .ed25519, let x) = key.material else { throw WrongKind() }
    #expect(x.prefix(3) == [0xd7, 0x5a, 0x98])
  }

  @Test(arguments: [
    (EllipticCurve.p256, 32, SignatureAlgorithm.es256), (.p384, 48, .es384), (.p521, 66, .es512),
  ])
  func `the curve decides the algorithm`(curve: EllipticCurve, bytes: Int, algorithm: SignatureAlgorithm) throws {
    let set = try keySet([ecKey(curve.rawValue, bytes: bytes)])
    #expect(set.keys.map(\.algorithm) == [algorithm])
  }

  @Test func `without alg the one allowed algorithm of its type is taken, and of several none`() throws {
    let key = #"{"kty":"RSA","n":"\#(rsaModulus)","e":"AQAB"}"#
    #expect(try keySet([key], [.es256, .ps384]).keys.map(\.algorithm) == [.ps384])
    #expect(try keySet([key], [.rs256, .ps256]).skipped.map(\.reason) == [.ambiguousAlgorithm])
    #expect(try keySet([key], [.es256]).skipped.map(\.reason) == [.algorithmNotAllowed])
  }

  @Test(arguments: unfitKeys)
  func `an unfit key is skipped, with the reason, and the next one is used`(key: String, reason: KeyFlaw) throws {
    let set = try keySet([key, ecKey("P-256", bytes: 32)])
    #expect(set.skipped.map(\.position) == [0])
    #expect(set.skipped.map(\.reason) == [reason])
    #expect(set.keys.count == 1)
  }

  @Test func `a key may be for verifying among other things`() throws {
    let key = ecKey("P-256", bytes: 32, more: #","use":"sig","key_ops":["sign","verify"],"x5t":"AA","d":"AA""#)
    #expect(try keySet([key]).keys.count == 1)
  }

  @Test(arguments: [#"{"keys":{}}"#, "{}", "[]", "null", #"{"Keys":[]}"#, #"{"keys":null}"#])
  func `a text without an array of keys is no set`(text: String) {
    #expect(throws: KeySetError.noKeys) { try KeySet(parsing: Array(text.utf8), algorithms: [.es256]) }
  }

  @Test func `the bounds of a set are exact`() throws {
    #expect(try keySet(Array(repeating: ecKey("P-256", bytes: 32), count: 100)).keys.count == 100)
    #expect(throws: KeySetError.tooManyKeys) { try keySet(Array(repeating: "{}", count: 101)) }
    #expect(throws: KeySetError.tooLarge) { try KeySet(parsing: Array(repeating: 0x20, count: 1 << 20 + 1), algorithms: []) }
    #expect(throws: KeySetError.malformed(JSONError(.unexpectedEnd, at: 0))) { try KeySet(parsing: [], algorithms: []) }
    #expect(try keySet([]).keys.isEmpty)
  }

  @Test func `a secret from a file needs as many bytes as the hash has`() throws {
    let secret = JWKMaterial.oct(Array(repeating: 1, count: 32))
    #expect(try JSONWebKey(id: nil, material: secret, allowed: [.hs256, .es256]).algorithm == .hs256)
    #expect(throws: KeyFlaw.tooWeak) { try JSONWebKey(id: nil, material: secret, allowed: [.hs512]) }
    #expect(throws: KeyFlaw.ambiguousAlgorithm) { try JSONWebKey(id: nil, material: secret, allowed: [.hs256, .hs384]) }
    #expect(throws: KeyFlaw.algorithmNotAllowed) { try JSONWebKey(id: nil, material: secret, allowed: [.rs256]) }
    #expect(KeySet(keys: [try JSONWebKey(id: nil, material: secret, allowed: [.hs256])]).keys.count == 1)
  }

  private struct WrongKind: Error {}
}

private func keySet(
  _ keys: [String], _ algorithms: [SignatureAlgorithm] = SignatureAlgorithm.allCases.filter { $0 != .hs384 && $0 != .hs512 }
)
  throws -> KeySet
{
  try KeySet(parsing: Array(#"{"keys":[\#(keys.joined(separator: ","))]}"#.utf8), algorithms: algorithms)
}

private func ecKey(_ curve: String, bytes: Int, more: String = "") -> String {
  let coordinate = Base64.urlSafe.encode(Array(repeating: 7, count: bytes))
  return #"{"kty":"EC","crv":"\#(curve)","x":"\#(coordinate)","y":"\#(coordinate)"\#(more)}"#
}

private func rsaKey(bytes: Int, first: UInt8 = 0x80, exponent: [UInt8] = [1, 0, 1], more: String = #","alg":"RS256""#) -> String {
  let modulus = [first] + Array(repeating: 1, count: bytes - 1)
  return #"{"kty":"RSA","n":"\#(Base64.urlSafe.encode(modulus))","e":"\#(Base64.urlSafe.encode(exponent))"\#(more)}"#
}

private func secret(bytes: Int, more: String = "") -> String {
  #"{"kty":"oct","k":"\#(Base64.urlSafe.encode(Array(repeating: 9, count: bytes)))"\#(more)}"#
}

private let unfitKeys: [(String, KeyFlaw)] = [
  ("1", .notAKey), ("{}", .notAKey), (#"{"kty":1}"#, .notAKey), (#"{"kty":"ec"}"#, .unknownType),
  (#"{"kty":"AKP"}"#, .unknownType),
  (#"{"kty":"EC","x":"AA","y":"AA"}"#, .unknownCurve), (ecKey("secp256k1", bytes: 32), .unknownCurve),
  (ecKey("P-256 ", bytes: 32), .unknownCurve),
  (#"{"kty":"OKP","crv":"X25519","x":"AA"}"#, .unknownCurve), (ecKey("P-256", bytes: 31), .invalidMaterial),
  (ecKey("P-256", bytes: 33), .invalidMaterial),
  (ecKey("P-521", bytes: 65), .invalidMaterial), (#"{"kty":"EC","crv":"P-256"}"#, .invalidMaterial),
  (#"{"kty":"EC","crv":"P-256","x":"+w==","y":"AA"}"#, .invalidMaterial),
  (#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#, .invalidMaterial),
  (rsaKey(bytes: 255), .tooWeak), (rsaKey(bytes: 256, first: 0x7f), .tooWeak), (rsaKey(bytes: 257, first: 0), .tooWeak),
  (rsaKey(bytes: 1025), .tooLarge), (rsaKey(bytes: 256, exponent: []), .invalidMaterial),
  (rsaKey(bytes: 256, exponent: [1]), .invalidMaterial),
  (rsaKey(bytes: 256, exponent: [2]), .invalidMaterial), (rsaKey(bytes: 256, exponent: [1, 0, 0, 0, 1]), .invalidMaterial),
  (#"{"kty":"RSA","e":"AQAB","alg":"RS256"}"#, .invalidMaterial), (secret(bytes: 0), .invalidMaterial),
  (secret(bytes: 31), .tooWeak),
  (secret(bytes: 32, more: #","alg":"HS512""#), .algorithmNotAllowed),
  (secret(bytes: 32, more: #","alg":"RS256""#), .algorithmMismatch),
  (rsaKey(bytes: 256, more: #","alg":"HS256""#), .algorithmMismatch),
  (rsaKey(bytes: 256, more: #","alg":"RSA-OAEP""#), .unknownAlgorithm),
  (rsaKey(bytes: 256, more: #","alg":"none""#), .unknownAlgorithm),
  (rsaKey(bytes: 256, more: #","alg":null"#), .unknownAlgorithm),
  (ecKey("P-256", bytes: 32, more: #","alg":"ES384""#), .algorithmMismatch),
  (ecKey("P-256", bytes: 32, more: #","alg":"EdDSA""#), .algorithmMismatch),
  (ecKey("P-256", bytes: 32, more: #","use":"enc""#), .notForVerifying),
  (ecKey("P-256", bytes: 32, more: #","use":1"#), .notForVerifying),
  (ecKey("P-256", bytes: 32, more: #","key_ops":["sign"]"#), .notForVerifying),
  (ecKey("P-256", bytes: 32, more: #","key_ops":"verify""#), .notForVerifying),
  (ecKey("P-256", bytes: 32, more: #","kid":7"#), .invalidID),
  (ecKey("P-256", bytes: 32, more: #","kid":"\#(String(repeating: "k", count: 257))""#), .invalidID),
]

private let rsaModulus =
  "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
