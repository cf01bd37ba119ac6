/// Why there is no user: one of three words for metrics, logs and clients, and a detail for logs.
public enum TokenError: Error, Hashable, Sendable, CustomStringConvertible {
  /// No token where one may be.
  case missing
  /// The token was good until now.
  case expired
  /// The token is not acceptable, now or ever.
  case invalid(TokenFlaw)

  /// `token_missing`, `token_expired` or `token_invalid`.
  public var word: String {
    switch self {
    case .missing: "token_missing"
    case .expired: "token_expired"
    case .invalid: "token_invalid"
    }
  }

  /// What exactly, in words of ours: nothing of the token is in it.
  public var detail: String {
    switch self {
    case .missing: "no token"
    case .expired: "expired"
    case .invalid(let flaw): flaw.rawValue
    }
  }

  /// The word and the detail.
  public var description: String { "\(word): \(detail)" }
}

/// What is wrong with a token.
public enum TokenFlaw: String, Hashable, Sendable, CaseIterable {
  /// A request carries several tokens where one may be.
  case repeated = "more than one token"
  /// Longer than the limit.
  case tooLong = "too long"
  /// Not three parts of strict base64url.
  case malformed = "not a compact JWS"
  /// The header is not a strict JSON object.
  case malformedHeader = "malformed header"
  /// The claims are not a strict JSON object.
  case malformedClaims = "malformed claims"
  /// `alg` is missing, unknown, `none`, or not among those allowed.
  case algorithm = "algorithm not allowed"
  /// `crit` names an extension; the edge knows none.
  case critical = "unknown critical extension"
  /// No key has the token's `kid` and algorithm: the key set may be out of date.
  case unknownKey = "unknown key"
  /// The token names no key and too many would fit.
  case ambiguousKey = "no kid, and too many keys"
  /// The signature is not the key's.
  case signature = "wrong signature"
  /// `iss` is missing or another one.
  case issuer = "wrong issuer"
  /// `aud` is missing or names others only.
  case audience = "wrong audience"
  /// `exp` is missing or no number.
  case expiry = "no valid exp"
  /// `nbf` is in the future, or no number.
  case notYetValid = "not yet valid"
  /// `iat` is in the future, or no number.
  case issuedInFuture = "issued in the future"
  /// The claim that names the user is missing, empty, too long, of a wrong type, or has control characters.
  case subject = "no valid subject"
  /// `jti` is no text or too long.
  case tokenID = "no valid jti"
  /// A required claim is missing or null.
  case requiredClaim = "required claim missing"
  /// A rule revokes it.
  case revoked
  /// A renewal names another user than the connection's.
  case otherUser = "another user"
  /// A renewal ends no later than the token that it replaces.
  case notFresher = "not fresher"
  /// A claim that goes into a header is too long for it.
  case headerTooLong = "claim too long for a header"
}
