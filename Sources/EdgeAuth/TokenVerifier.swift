public import EdgeCore

/// Checks a signature with keys that the verifier knows only by their position.
public protocol SignatureChecker {
  /// Whether `signature` is the signature of `signingInput` by key number `keyIndex`, with `algorithm` and nothing else.
  func isValid(signature: Span<UInt8>, of signingInput: Span<UInt8>, keyIndex: Int, algorithm: SignatureAlgorithm) -> Bool
}

/// What a token must be to be accepted.
public struct TokenRequirements: Sendable {
  /// What `iss` must be; nil does not look at it.
  public var issuer: String?
  /// Of these `aud` must name one; when empty, a token that names an audience is refused (RFC 7519 §4.1.3).
  public var audiences: [String]
  /// The algorithms allowed.
  public var algorithms: [SignatureAlgorithm]
  /// The claim that names the user: a text, or, for claims other than `sub`, an integer.
  public var userClaim: String
  /// Claims that must be there and not null.
  public var requiredClaims: [String]
  /// How far clocks may differ, for `exp`, `nbf` and `iat`.
  public var leeway: Duration
  /// The longest token in bytes.
  public var maxTokenBytes: Int

  /// Makes requirements.
  public init(
    issuer: String? = nil, audiences: [String] = [], algorithms: [SignatureAlgorithm], userClaim: String = "sub",
    requiredClaims: [String] = [], leeway: Duration = .seconds(30), maxTokenBytes: Int = 8192
  ) {
    self.issuer = issuer
    self.audiences = audiences
    self.algorithms = algorithms
    self.userClaim = userClaim
    self.requiredClaims = requiredClaims
    self.leeway = leeway
    self.maxTokenBytes = maxTokenBytes
  }
}

/// Verifies signed tokens in compact form (RFC 7515 §5.2, RFC 7519 §7.2, RFC 8725).
///
/// A key serves one algorithm only, whatever a header says; `jku`, `x5u`, `jwk` and `x5c` of a header are never looked at.
/// Claims are parsed only after the signature was found good.
public struct TokenVerifier: Sendable {
  /// What tokens must be.
  public let requirements: TokenRequirements
  /// The keys; positions are what the checker is asked with.
  public let keys: [TokenKey]

  /// Makes a verifier.
  public init(requirements: TokenRequirements, keys: [TokenKey]) {
    self.requirements = requirements
    self.keys = keys
  }

  /// Verifies one token.
  ///
  /// - Parameters:
  ///   - token: the token as it was sent.
  ///   - now: the time that `exp`, `nbf` and `iat` are held against.
  ///   - checker: holds the keys.
  /// - Throws: `TokenError`; after `.invalid(.unknownKey)` a fresher key set may help.
  public func verify<Checker: SignatureChecker>(
    _ token: Span<UInt8>, now: WallTime, checker: borrowing Checker
  ) throws(TokenError) -> VerifiedToken {
    guard token.count <= requirements.maxTokenBytes else { throw .invalid(.tooLong) }
    let parts = try parts(of: token)
    let header = try TokenHeader(decoding: token.extracting(parts.header))
    guard requirements.algorithms.contains(header.algorithm) else { throw .invalid(.algorithm) }
    guard let signature = Base64.urlSafe.decode(token.extracting(parts.signature)) else { throw .invalid(.malformed) }
    guard !signature.isEmpty, signature.count == header.algorithm.signatureBytes ?? signature.count else {
      throw .invalid(.signature)
    }
    let signingInput = token.extracting(parts.signingInput)
    var isGenuine = false
    for keyIndex in try candidates(for: header) where !isGenuine {
      isGenuine = checker.isValid(
        signature: signature.span, of: signingInput, keyIndex: keyIndex, algorithm: header.algorithm)
    }
    guard isGenuine else { throw .invalid(.signature) }
    guard let text = Base64.urlSafe.decode(token.extracting(parts.claims)) else { throw .invalid(.malformed) }
    guard let claims = try? JSON(parsing: text, maxDepth: maxJSONDepth), claims.members != nil else {
      throw .invalid(.malformedClaims)
    }
    return try requirements.accept(claims, now: now)
  }

  /// Verifies one token; see `verify` of a span.
  public func verify<Checker: SignatureChecker>(
    _ token: String, now: WallTime, checker: borrowing Checker
  ) throws(TokenError) -> VerifiedToken {
    try verify(Array(token.utf8).span, now: now, checker: checker)
  }

  /// The key that a token names, for one whose key is unknown; nil where it names none or is no token.
  public static func keyID(of token: String) -> String? {
    let bytes = Array(token.utf8)
    guard let parts = try? parts(of: bytes.span) else { return nil }
    return (try? TokenHeader(decoding: bytes.span.extracting(parts.header)))?.keyID
  }

  /// Checks a token again that this verifier has accepted before: only time can have changed.
  ///
  /// - Throws: `TokenError.expired`, or `.invalid` where the clock was set back.
  public func recheck(_ token: VerifiedToken, now: WallTime) throws(TokenError) {
    try requirements.checkTimes(
      expires: token.expires, notBefore: token.notBefore, issuedAt: token.issuedAt, now: now)
  }

  /// Which keys could have signed a token with `header`.
  private func candidates(for header: TokenHeader) throws(TokenError) -> [Int] {
    let fitting = keys.indices.filter { keys[$0].algorithm == header.algorithm && keys[$0].serves(header.keyID) }
    guard !fitting.isEmpty else { throw .invalid(.unknownKey) }
    guard fitting.count <= maxKeyAttempts else { throw .invalid(.ambiguousKey) }
    return fitting
  }
}

extension TokenKey {
  /// Whether a token that names `keyID` may be signed by this key.
  fileprivate func serves(_ keyID: String?) -> Bool {
    guard let keyID, let id else { return true }
    return id.utf8.elementsEqual(keyID.utf8)
  }
}

/// Where the parts of a compact JWS lie.
private struct TokenParts {
  let header: Range<Int>
  let claims: Range<Int>
  let signature: Range<Int>
  var signingInput: Range<Int> { header.lowerBound..<claims.upperBound }
}

private func parts(of token: Span<UInt8>) throws(TokenError) -> TokenParts {
  var dots: [Int] = []
  for index in token.indices where token[index] == UInt8(ascii: ".") {
    guard dots.count < 2 else { throw .invalid(.malformed) }
    dots.append(index)
  }
  guard dots.count == 2 else { throw .invalid(.malformed) }
  return TokenParts(header: 0..<dots[0], claims: dots[0] + 1..<dots[1], signature: dots[1] + 1..<token.count)
}

/// What of a header counts (RFC 7515 §4.1).
private struct TokenHeader {
  let algorithm: SignatureAlgorithm
  let keyID: String?

  init(decoding text: Span<UInt8>) throws(TokenError) {
    guard let bytes = Base64.urlSafe.decode(text) else { throw .invalid(.malformed) }
    guard let json = try? JSON(parsing: bytes, maxDepth: maxJSONDepth), json.members != nil else {
      throw .invalid(.malformedHeader)
    }
    guard let algorithm = json["alg"]?.stringValue.flatMap(SignatureAlgorithm.init(name:)) else { throw .invalid(.algorithm) }
    self.algorithm = algorithm
    // The edge implements no extension, and an empty `crit` is against the standard: no `crit` is acceptable. A `b64` that is
    // not critical is, too, against its standard (RFC 7797 §6).
    guard json["crit"] == nil, json["b64"] == nil else { throw .invalid(.critical) }
    keyID = try json["kid"].map { (kid) throws(TokenError) -> String in
      guard let text = kid.stringValue else { throw .invalid(.malformedHeader) }
      return text
    }
    if let type = json["typ"], type.stringValue == nil { throw .invalid(.malformedHeader) }
  }
}

/// Deep enough for the claims of practice, such as lists of roles by realm.
private let maxJSONDepth = 16
/// How many keys one token may make us try; each may cost 200 µs.
private let maxKeyAttempts = 8
