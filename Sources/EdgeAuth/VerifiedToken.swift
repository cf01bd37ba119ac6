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

/// A user, everywhere: the name of the `auth` block that vouches, and the subject it vouches for.
///
/// Two subjects are the same only byte by byte, although Unicode calls more texts equivalent: an identity provider may well
/// hand out both.
public struct UserID: Hashable, Sendable {
  /// The name of the `auth` block.
  public let auth: String
  /// The subject of the verified token.
  public let subject: String

  /// Makes a user's identity.
  public init(auth: String, subject: String) {
    self.auth = auth
    self.subject = subject
  }

  /// Whether both are the same, byte by byte.
  public static func == (lhs: UserID, rhs: UserID) -> Bool {
    lhs.auth.utf8.elementsEqual(rhs.auth.utf8) && lhs.subject.utf8.elementsEqual(rhs.subject.utf8)
  }

  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) {
    for byte in auth.utf8 { hasher.combine(byte) }
    hasher.combine(0xff as UInt8)
    for byte in subject.utf8 { hasher.combine(byte) }
  }
}
