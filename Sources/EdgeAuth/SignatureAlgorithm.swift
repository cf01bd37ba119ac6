/// How a token is signed: the registered `alg` values that the edge knows (RFC 7518 §3.1, RFC 8037 §3.1). There is no `none`.
public enum SignatureAlgorithm: String, Hashable, Sendable, CaseIterable {
  /// HMAC with SHA-256.
  case hs256 = "HS256"
  /// HMAC with SHA-384.
  case hs384 = "HS384"
  /// HMAC with SHA-512.
  case hs512 = "HS512"
  /// RSASSA-PKCS1-v1_5 with SHA-256.
  case rs256 = "RS256"
  /// RSASSA-PKCS1-v1_5 with SHA-384.
  case rs384 = "RS384"
  /// RSASSA-PKCS1-v1_5 with SHA-512.
  case rs512 = "RS512"
  /// RSASSA-PSS with SHA-256, and a salt of 32 bytes.
  case ps256 = "PS256"
  /// RSASSA-PSS with SHA-384, and a salt of 48 bytes.
  case ps384 = "PS384"
  /// RSASSA-PSS with SHA-512, and a salt of 64 bytes.
  case ps512 = "PS512"
  /// ECDSA on P-256 with SHA-256; the signature is r and s, 32 bytes each.
  case es256 = "ES256"
  /// ECDSA on P-384 with SHA-384; the signature is r and s, 48 bytes each.
  case es384 = "ES384"
  /// ECDSA on P-521 with SHA-512; the signature is r and s, 66 bytes each.
  case es512 = "ES512"
  /// Ed25519 or Ed448, as the key says.
  case edDSA = "EdDSA"

  /// Reads the name that stands in `alg`; letters of the other case are another name.
  public init?(name: String) {
    guard let algorithm = Self.allCases.first(where: { $0.rawValue.utf8.elementsEqual(name.utf8) }) else { return nil }
    self = algorithm
  }

  /// Whether signing and verifying take the same secret.
  public var isSymmetric: Bool { minSecretBytes != nil }

  /// The bytes of a signature where the algorithm alone decides it; nil where the key does.
  var signatureBytes: Int? {
    switch self {
    case .hs256: 32
    case .hs384: 48
    case .hs512, .es256: 64
    case .es384: 96
    case .es512: 132
    case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512, .edDSA: nil
    }
  }

  /// The fewest bytes of a secret: as many as the hash has (RFC 7518 §3.2). Nil where there is no secret.
  var minSecretBytes: Int? {
    switch self {
    case .hs256: 32
    case .hs384: 48
    case .hs512: 64
    case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512, .es256, .es384, .es512, .edDSA: nil
    }
  }
}
