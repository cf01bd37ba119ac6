import COpenSSL
import EdgeAuth
import EdgeCore
import Testing

@testable import EdgeTLS

/// Keys of every type, side by side in one verifier, and one of them that tokens are aimed at.
struct Victim: Sendable, CustomTestStringConvertible {
  /// The `kid` of the key, which is its type's name too.
  let id: String
  let key: SigningKey
  var testDescription: String { id }
  var algorithm: SignatureAlgorithm { key.algorithm }

  static let all: [Victim] = {
    do {
      let rsa = try #require(try SigningKey(generating: .rs256).pem())
      let ed448 = try KeyHandle(generating: .edwards(curve: "ED448")).privatePEM()
      return try [
        Victim(id: "RS256", key: SigningKey(pem: rsa, algorithm: .rs256)),
        Victim(id: "RS512", key: SigningKey(generating: .rs512)),
        // The same key pair as the first: only the padding tells the two apart.
        Victim(id: "PS256", key: SigningKey(pem: rsa, algorithm: .ps256)),
        Victim(id: "ES256", key: SigningKey(generating: .es256)), Victim(id: "ES384", key: SigningKey(generating: .es384)),
        Victim(id: "ES512", key: SigningKey(generating: .es512)), Victim(id: "Ed25519", key: SigningKey(generating: .edDSA)),
        Victim(id: "Ed448", key: SigningKey(pem: ed448, algorithm: .edDSA)),
        Victim(id: "HS256", key: SigningKey(generating: .hs256)),
        Victim(id: "HS512", key: SigningKey(generating: .hs512)),
      ]
    } catch {
      return []
    }
  }()

  /// Who judges: every key, every algorithm.
  static let verifier = TokenVerifier(
    requirements: TokenRequirements(
      issuer: "https://id.example/", audiences: ["chat"], algorithms: SignatureAlgorithm.allCases, requiredClaims: ["scope"]),
    keys: all.map { TokenKey(id: $0.id, algorithm: $0.algorithm) })
  static let checker = VerificationKeys(all.map(\.key.verificationKey))
  static let now = WallTime(seconds: 1_700_000_000)

  /// What the verifier says; nil where it accepts.
  static func verdict(on token: [UInt8]) -> TokenError? {
    do throws(TokenError) {
      _ = try verifier.verify(token.span, now: now, checker: checker)
      return nil
    } catch {
      return error
    }
  }

  // MARK: Making tokens

  /// A proper header, with other members in addition.
  func header(_ more: String = "") -> String { #"{"alg":"\#(algorithm.rawValue)","kid":"\#(id)"\#(more)}"# }

  /// What is signed of a proper token.
  var unsigned: String { unsigned(header()) }

  func unsigned(_ header: String) -> String {
    "\(Base64.urlSafe.encode(Array(header.utf8))).\(Base64.urlSafe.encode(Array(goodClaims.utf8)))"
  }

  /// A token whose signature is what it should be, whatever stands in its parts.
  func signed(header: String? = nil, claims: String = goodClaims) throws -> [UInt8] {
    try signed(header: Array((header ?? self.header()).utf8), claims: Array(claims.utf8))
  }

  func signed(header: [UInt8], claims: [UInt8]) throws -> [UInt8] {
    try signed(input: "\(Base64.urlSafe.encode(header)).\(Base64.urlSafe.encode(claims))")
  }

  /// The same over a text that need not be two parts.
  func signed(input: String) throws -> [UInt8] {
    Array("\(input).\(Base64.urlSafe.encode(try key.sign(Array(input.utf8))))".utf8)
  }

  /// A proper token with another signature.
  func resigned(
    header: String? = nil, _ change: (_ signature: [UInt8], _ input: [UInt8]) throws -> [UInt8]
  ) throws -> [UInt8] {
    let input = Array(unsigned(header ?? self.header()).utf8)
    return input + Array(".\(Base64.urlSafe.encode(try change(key.sign(input), input)))".utf8)
  }

  /// A proper token, changed as text.
  func edited(_ change: (String) -> String) throws -> [UInt8] {
    Array(change(String(decoding: try signed(), as: UTF8.self)).utf8)
  }

  /// The public key in the forms in which everybody may have it, to be misused as a secret; none for a secret.
  func publicForms() throws -> [[UInt8]] {
    guard let jwk = key.publicJWK(id: id), let privatePEM = try key.pem() else { return [] }
    let handle = try KeyHandle(privatePEM: privatePEM)
    guard let pem = MemoryBIO(), let der = MemoryBIO(), PEM_write_bio_PUBKEY(pem.pointer, handle.pointer) == 1,
      i2d_PUBKEY_bio(der.pointer, handle.pointer) == 1
    else { return [] }
    let jwks = JSON.object([.init(name: "keys", value: .array([jwk]))])
    return [pem.bytes, Array(pem.bytes.dropLast()), der.bytes, jwk.encoded(), jwks.encoded()]
  }
}

let goodClaims =
  #"{"sub":"alice","iss":"https://id.example/","aud":"chat","iat":1700000000,"exp":1700003600,"scope":"chat"}"#

/// Good claims, with one of them replaced; nil leaves it out.
func claims(_ name: String, _ value: String?) -> String {
  let all = [
    ("sub", #""alice""#), ("iss", #""https://id.example/""#), ("aud", #""chat""#), ("exp", "1700003600"), ("scope", #""chat""#),
  ]
  let others = all.filter { $0.0 != name }.map { #""\#($0.0)":\#($0.1)"# }
  return "{\((others + (value.map { [#""\#(name)":\#($0)"#] } ?? [])).joined(separator: ","))}"
}
