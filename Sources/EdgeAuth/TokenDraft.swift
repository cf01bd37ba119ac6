public import EdgeCore

/// A token that is about to be signed, for `sluice token` and the demo's login.
public struct TokenDraft: Sendable {
  /// How it will be signed.
  public var algorithm: SignatureAlgorithm
  /// The name of the key, for the header.
  public var keyID: String?
  /// What it will say, in this order.
  public var claims: [JSON.Member]

  /// Makes a draft.
  ///
  /// - Parameters:
  ///   - algorithm: how it will be signed.
  ///   - keyID: the name of the key, if it has one.
  ///   - subject: the user.
  ///   - issuedAt: becomes `iat`, in whole seconds.
  ///   - lifetime: `exp` is so much later.
  ///   - issuer: becomes `iss`.
  ///   - audience: becomes `aud`: a text if it is one name, an array if there are several.
  ///   - more: claims besides; one of a name above replaces it.
  public init(
    algorithm: SignatureAlgorithm, keyID: String? = nil, subject: String, issuedAt: WallTime, lifetime: Duration,
    issuer: String? = nil, audience: [String] = [], more: [JSON.Member] = []
  ) {
    self.algorithm = algorithm
    self.keyID = keyID
    var claims = [JSON.Member(name: "sub", value: .string(subject))]
    if let issuer { claims.append(.init(name: "iss", value: .string(issuer))) }
    switch audience.count {
    case 0: break
    case 1: claims.append(.init(name: "aud", value: .string(audience[0])))
    default: claims.append(.init(name: "aud", value: .array(audience.map { .string($0) })))
    }
    let (expires, overflow) = issuedAt.nanoseconds.addingReportingOverflow(lifetime.nanoseconds)
    claims.append(.init(name: "iat", value: .integer(issuedAt.seconds)))
    claims.append(.init(name: "exp", value: .integer(WallTime(nanoseconds: overflow ? .max : expires).seconds)))
    let replaced = Set(more.map(\.name))
    self.claims = claims.filter { !replaced.contains($0.name) } + more
  }

  /// The bytes to sign: header and claims in base64url, with a dot between (RFC 7515 §5.1).
  public var signingInput: [UInt8] {
    var header: [JSON.Member] = [
      .init(name: "alg", value: .string(algorithm.rawValue)), .init(name: "typ", value: "JWT"),
    ]
    if let keyID { header.append(.init(name: "kid", value: .string(keyID))) }
    let parts = [JSON.object(header), .object(claims)].map { Base64.urlSafe.encode($0.encoded()) }
    return Array(parts.joined(separator: ".").utf8)
  }

  /// The finished token.
  ///
  /// - Parameter signature: of `signingInput`, in the form of RFC 7518 §3: r and s side by side for ECDSA.
  public func token(signature: [UInt8]) -> String {
    String(decoding: signingInput, as: UTF8.self) + "." + Base64.urlSafe.encode(signature)
  }
}
