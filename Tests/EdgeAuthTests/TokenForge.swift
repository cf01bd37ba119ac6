import EdgeAuth
import EdgeCore

/// Makes tokens of any text, good or bad, and checks the toy signatures that it gives them.
///
/// A toy signature depends on the key, the algorithm and every byte of the input, as a real one does; how real ones are checked
/// is another module's business.
struct TokenForge: SignatureChecker {
  var keys: [TokenKey]

  func isValid(signature: Span<UInt8>, of signingInput: Span<UInt8>, keyIndex: Int, algorithm: SignatureAlgorithm) -> Bool {
    let expected = toySignature(of: signingInput, key: keyIndex, algorithm: algorithm)
    return expected.count == signature.count && expected.indices.allSatisfy { expected[$0] == signature[$0] }
  }

  /// A token whose parts are these texts.
  func token(header: String, claims: String, key: Int = 0, algorithm: SignatureAlgorithm? = nil) -> String {
    token(header: Array(header.utf8), claims: Array(claims.utf8), key: key, algorithm: algorithm)
  }

  func token(header: [UInt8], claims: [UInt8], key: Int = 0, algorithm: SignatureAlgorithm? = nil) -> String {
    let input = "\(Base64.urlSafe.encode(header)).\(Base64.urlSafe.encode(claims))"
    let algorithm = algorithm ?? keys[key].algorithm
    return "\(input).\(Base64.urlSafe.encode(toySignature(of: Array(input.utf8).span, key: key, algorithm: algorithm)))"
  }

  private func toySignature(of input: Span<UInt8>, key: Int, algorithm: SignatureAlgorithm) -> [UInt8] {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325 &+ UInt64(key)
    for byte in algorithm.rawValue.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    for index in input.indices { hash = (hash ^ UInt64(input[index])) &* 0x100_0000_01b3 }
    let count =
      switch algorithm {
      case .hs256: 32
      case .hs384: 48
      case .es384: 96
      case .es512: 132
      case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: 256
      case .hs512, .es256, .edDSA: 64
      }
    return (0..<count).map { UInt8(truncatingIfNeeded: hash >> UInt64($0 % 8 * 8)) &+ UInt8(truncatingIfNeeded: $0) }
  }
}

/// A checker that knows one pair of input and signature: for the examples of the standards.
struct KnownSignature: SignatureChecker {
  let input: String
  let signature: [UInt8]

  func isValid(signature: Span<UInt8>, of signingInput: Span<UInt8>, keyIndex: Int, algorithm: SignatureAlgorithm) -> Bool {
    signature.indices.map { signature[$0] } == self.signature
      && signingInput.indices.map { signingInput[$0] } == Array(input.utf8)
  }
}

let issuedAt = WallTime(seconds: 1_700_000_000)
let goodHeader = #"{"alg":"ES256","kid":"k1","typ":"JWT"}"#
let goodClaims = #"{"sub":"alice","iss":"https://id.example/","aud":"chat","iat":1700000000,"exp":1700003600}"#

let forge = TokenForge(keys: [
  TokenKey(id: "k1", algorithm: .es256), TokenKey(id: "k2", algorithm: .rs256), TokenKey(id: "k3", algorithm: .edDSA),
  TokenKey(id: "k4", algorithm: .hs256), TokenKey(id: "k5", algorithm: .ps256),
])

let requirements = TokenRequirements(
  issuer: "https://id.example/", audiences: ["chat", "https://chat.example/"], algorithms: [.es256, .rs256, .edDSA, .hs256])

let verifier = TokenVerifier(requirements: requirements, keys: forge.keys)
