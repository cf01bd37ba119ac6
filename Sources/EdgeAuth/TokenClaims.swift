internal import EdgeCore

extension TokenRequirements {
  /// Holds the claims of a genuine token against the requirements (RFC 7519 §4.1).
  func accept(_ claims: JSON, now: WallTime) throws(TokenError) -> VerifiedToken {
    try checkIssuer(claims)
    try checkAudience(claims)
    let expires = try time("exp", in: claims, otherwise: .expiry)
    let notBefore = try time("nbf", in: claims, otherwise: .notYetValid)
    let issuedAt = try time("iat", in: claims, otherwise: .issuedInFuture)
    guard let expires else { throw .invalid(.expiry) }
    try checkTimes(expires: expires, notBefore: notBefore, issuedAt: issuedAt, now: now)
    for name in requiredClaims where claims[name]?.isNull ?? true { throw .invalid(.requiredClaim) }
    return VerifiedToken(
      subject: try subject(of: claims), expires: expires, notBefore: notBefore, issuedAt: issuedAt,
      tokenID: try tokenID(of: claims), claims: claims)
  }

  /// Holds the times of a token against `now`, within the leeway (RFC 7519 §4.1.4 to §4.1.6).
  func checkTimes(expires: WallTime, notBefore: WallTime?, issuedAt: WallTime?, now: WallTime) throws(TokenError) {
    guard now < expires.adding(leeway) else { throw .expired }
    if let notBefore, now.adding(leeway) < notBefore { throw .invalid(.notYetValid) }
    if let issuedAt, now.adding(leeway) < issuedAt { throw .invalid(.issuedInFuture) }
  }

  private func checkIssuer(_ claims: JSON) throws(TokenError) {
    guard let issuer else { return }
    guard let claimed = claims["iss"]?.stringValue, claimed.utf8.elementsEqual(issuer.utf8) else { throw .invalid(.issuer) }
  }

  private func checkAudience(_ claims: JSON) throws(TokenError) {
    let named: [String]
    switch claims["aud"] {
    case nil: named = []
    case .string(let audience): named = [audience]
    case .array(let list):
      named = list.compactMap(\.stringValue)
      guard named.count == list.count, !named.isEmpty else { throw .invalid(.audience) }
    case .null, .bool, .integer, .number, .object: throw .invalid(.audience)
    }
    if audiences.isEmpty && named.isEmpty { return }
    guard named.contains(where: { name in audiences.contains { $0.utf8.elementsEqual(name.utf8) } }) else {
      throw .invalid(.audience)
    }
  }

  private func subject(of claims: JSON) throws(TokenError) -> String {
    let subject: String
    switch claims[userClaim] {
    case .string(let text): subject = text
    case .integer(let number) where userClaim != "sub": subject = String(number)
    case nil, .null, .bool, .integer, .number, .array, .object: throw .invalid(.subject)
    }
    guard (1...maxSubjectBytes).contains(subject.utf8.count), !hasControlCharacter(subject) else { throw .invalid(.subject) }
    // `sub` is checked even where another claim names the user.
    if let sub = claims["sub"] {
      guard let text = sub.stringValue, !hasControlCharacter(text) else { throw .invalid(.subject) }
    }
    return subject
  }

  private func tokenID(of claims: JSON) throws(TokenError) -> String? {
    guard let claim = claims["jti"] else { return nil }
    guard let text = claim.stringValue, text.utf8.count <= maxTokenIDBytes, !hasControlCharacter(text) else {
      throw .invalid(.tokenID)
    }
    return text
  }
}

/// Reads a NumericDate: seconds since 1970, perhaps with a fraction (RFC 7519 §2).
private func time(_ name: String, in claims: JSON, otherwise flaw: TokenFlaw) throws(TokenError) -> WallTime? {
  switch claims[name] {
  case nil: return nil
  case .integer(let seconds): return WallTime(seconds: seconds)
  case .number(let seconds):
    let nanoseconds = (seconds * 1e9).rounded(.down)
    return WallTime(nanoseconds: Int64(exactly: nanoseconds) ?? (nanoseconds < 0 ? .min : .max))
  case .null, .bool, .string, .array, .object: throw .invalid(flaw)
  }
}

/// Whether `text` has a C0 or C1 control character or DEL.
private func hasControlCharacter(_ text: String) -> Bool {
  text.unicodeScalars.contains { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) }
}

private let maxSubjectBytes = 1024
private let maxTokenIDBytes = 1024
