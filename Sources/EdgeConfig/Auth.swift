public import EdgeAuth

extension Configuration {
  /// How tokens are found and checked (RFC 7519).
  public struct Auth: Sendable, Equatable {
    /// The `iss` claim that a token must carry; nil accepts any.
    public internal(set) var issuer: String?
    /// Values of which a token's `aud` claim must hold one; empty accepts tokens without the claim only.
    public internal(set) var audience: [String]
    /// The signature algorithms accepted; never empty, and all of them fit `keys`.
    public internal(set) var algorithms: [SignatureAlgorithm]
    /// Where the keys come from.
    public internal(set) var keys: KeySource
    /// Where in a request a token may be, in order of preference; never empty.
    public internal(set) var tokenFrom: [TokenSource]
    /// Claims that a token must carry besides those checked anyway.
    public internal(set) var requiredClaims: [String]
    /// The claim that names the user.
    public internal(set) var userClaim: String
    /// How far clocks may differ.
    public internal(set) var leeway: Duration
  }

  /// Where the keys that check tokens come from.
  public enum KeySource: Sendable, Equatable {
    /// A file that holds a JWK Set (RFC 7517).
    case file(String)
    /// An address that serves a JWK Set.
    case url(RemoteKeys)
    /// A file that holds the secret of the HMAC algorithms.
    case secretFile(String)
  }

  /// A JWK Set that an identity provider serves.
  public struct RemoteKeys: Sendable, Equatable {
    /// Where it is: an https address without credentials and fragment.
    public internal(set) var url: String
    /// It is fetched again so often.
    public internal(set) var refresh: Duration
    /// An old set serves so long after it was fetched, where fetching fails.
    public internal(set) var staleFor: Duration
    /// The certificates that the provider's must come from; nil takes those of the system.
    public internal(set) var caFile: String?
  }
}
