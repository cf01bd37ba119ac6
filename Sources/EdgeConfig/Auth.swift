extension Configuration {
  /// How tokens are found and checked (RFC 7519).
  public struct Auth: Sendable, Equatable {
    /// The `iss` claim that a token must carry; nil accepts any.
    public internal(set) var issuer: String?
    /// Values of which a token's `aud` claim must hold one; empty accepts any.
    public internal(set) var audience: [String]
    /// The signature algorithms accepted; never empty, and all of them fit `keys`.
    public internal(set) var algorithms: [SignatureAlgorithm]
    /// Where the keys come from.
    public internal(set) var keys: KeySource
    /// Where in a request a token may be, in order of preference; never empty.
    public internal(set) var tokenFrom: [TokenLocation]
    /// Claims that a token must carry besides those checked anyway.
    public internal(set) var requiredClaims: [String]
    /// The claim that names the user.
    public internal(set) var userClaim: String
    /// How far clocks may differ.
    public internal(set) var leeway: Duration
  }

  /// A signature algorithm by its name in RFC 7518 and RFC 8037.
  public enum SignatureAlgorithm: String, Sendable, CaseIterable {
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
    /// RSASSA-PSS with SHA-256.
    case ps256 = "PS256"
    /// RSASSA-PSS with SHA-384.
    case ps384 = "PS384"
    /// RSASSA-PSS with SHA-512.
    case ps512 = "PS512"
    /// ECDSA over P-256.
    case es256 = "ES256"
    /// ECDSA over P-384.
    case es384 = "ES384"
    /// ECDSA over P-521.
    case es512 = "ES512"
    /// Ed25519 or Ed448.
    case edDSA = "EdDSA"

    /// Whether signing and checking take the same secret.
    public var isSymmetric: Bool {
      switch self {
      case .hs256, .hs384, .hs512: true
      case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512, .es256, .es384, .es512, .edDSA: false
      }
    }
  }

  /// Where the keys that check tokens come from.
  public enum KeySource: Sendable, Equatable {
    /// A file that holds a JWK Set (RFC 7517).
    case file(String)
    /// An address that serves a JWK Set.
    case url(String, refresh: Duration, staleFor: Duration)
    /// A file that holds the secret of the HMAC algorithms.
    case secretFile(String)
  }

  /// Where in a request a token may be.
  public enum TokenLocation: Sendable, Hashable {
    /// `Authorization: Bearer` (RFC 6750 §2.1).
    case header
    /// The cookie of this name.
    case cookie(name: String)
    /// An entry of `Sec-WebSocket-Protocol`.
    case subprotocol
    /// The query parameter of this name.
    case query(name: String)
    /// The first message after the upgrade.
    case firstMessage
  }
}
