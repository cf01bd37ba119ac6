public import EdgeCore

/// What a token that was verified says.
public struct VerifiedToken: Sendable {
  /// The user, from the configured claim: 1 to 1024 bytes without control characters.
  public let subject: String
  /// `exp`: from here on, plus leeway, the token is worth nothing.
  public let expires: WallTime
  /// `nbf`, if there is one.
  public let notBefore: WallTime?
  /// `iat`, if there is one.
  public let issuedAt: WallTime?
  /// `jti`, if there is one: names the token itself.
  public let tokenID: String?
  /// All claims.
  public let claims: JSON

  /// What a connection that came in with the token has to remember.
  public func life(leeway: Duration) -> TokenLife {
    TokenLife(end: expires.adding(leeway), issuedAt: issuedAt, tokenID: tokenID)
  }
}

/// What decides how long who came in with a token may stay.
public struct TokenLife: Hashable, Sendable {
  /// From here on, leeway included, the token is worth nothing.
  public let end: WallTime
  /// `iat`, if there was one: a revocation may name a time.
  public let issuedAt: WallTime?
  /// `jti`, if there was one: a revocation may name it.
  public let tokenID: String?

  /// Describes a life.
  public init(end: WallTime, issuedAt: WallTime?, tokenID: String?) {
    self.end = end
    self.issuedAt = issuedAt
    self.tokenID = tokenID
  }
}
