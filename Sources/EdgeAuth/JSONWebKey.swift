/// The public or shared part of a key, as bytes that any cryptographic library takes.
public enum JWKMaterial: Hashable, Sendable {
  /// An RSA public key: modulus (2048 to 8192 bits) and odd exponent, big-endian without leading zeros.
  case rsa(modulus: [UInt8], exponent: [UInt8])
  /// A point of an elliptic curve; each coordinate has the curve's full length. Whether it lies on the curve is not checked here.
  case ec(curve: EllipticCurve, x: [UInt8], y: [UInt8])
  /// An Edwards-curve public key.
  case okp(curve: EdwardsCurve, x: [UInt8])
  /// A shared secret.
  case oct([UInt8])

  /// The algorithms that such a key can be used with.
  public var fittingAlgorithms: [SignatureAlgorithm] {
    switch self {
    case .rsa: [.rs256, .rs384, .rs512, .ps256, .ps384, .ps512]
    case .ec(let curve, x: _, y: _): [curve.algorithm]
    case .okp: [.edDSA]
    case .oct: [.hs256, .hs384, .hs512]
    }
  }
}

/// The curves of ECDSA keys (RFC 7518 §6.2.1.1).
public enum EllipticCurve: String, Hashable, Sendable, CaseIterable {
  /// secp256r1.
  case p256 = "P-256"
  /// secp384r1.
  case p384 = "P-384"
  /// secp521r1.
  case p521 = "P-521"

  /// The bytes of one coordinate.
  public var coordinateBytes: Int {
    switch self {
    case .p256: 32
    case .p384: 48
    case .p521: 66
    }
  }

  /// The one algorithm that signs with the curve.
  public var algorithm: SignatureAlgorithm {
    switch self {
    case .p256: .es256
    case .p384: .es384
    case .p521: .es512
    }
  }
}

/// The curves of EdDSA keys (RFC 8037 §2).
public enum EdwardsCurve: String, Hashable, Sendable, CaseIterable {
  /// Edwards 25519.
  case ed25519 = "Ed25519"
  /// Edwards 448.
  case ed448 = "Ed448"

  /// The bytes of a public key.
  public var keyBytes: Int {
    switch self {
    case .ed25519: 32
    case .ed448: 57
    }
  }
}

/// A key that verifies tokens: its material, and the one algorithm it is for (RFC 8725 §3.1).
public struct JSONWebKey: Hashable, Sendable {
  /// The key's name, if it has one.
  public let id: String?
  /// The algorithm.
  public let algorithm: SignatureAlgorithm
  /// The key itself.
  public let material: JWKMaterial

  /// Makes a key for the one algorithm that `material` is used with.
  ///
  /// - Parameters:
  ///   - id: the key's name, if it has one.
  ///   - algorithm: the algorithm, where the key names it; nil takes the only one among `allowed` that fits.
  ///   - material: the key itself.
  ///   - allowed: the algorithms that tokens may use.
  /// - Throws: `KeyFlaw` when no algorithm or several remain, and for a secret that is shorter than the algorithm's hash.
  public init(
    id: String?, algorithm: SignatureAlgorithm? = nil, material: JWKMaterial, allowed: [SignatureAlgorithm]
  ) throws(KeyFlaw) {
    self.id = id
    self.material = material
    if let algorithm {
      guard material.fittingAlgorithms.contains(algorithm) else { throw .algorithmMismatch }
      guard allowed.contains(algorithm) else { throw .algorithmNotAllowed }
      self.algorithm = algorithm
    } else {
      self.algorithm = try TokenKey(id: id, fitting: material.fittingAlgorithms, allowed: allowed).algorithm
    }
    if case .oct(let secret) = material, secret.count < self.algorithm.minSecretBytes ?? 0 { throw .tooWeak }
  }

  /// What the choice of a key needs to know.
  public var tokenKey: TokenKey { TokenKey(id: id, algorithm: algorithm) }
}

/// What a verifier knows of a key that it does not hold: its name and its one algorithm.
public struct TokenKey: Hashable, Sendable {
  /// The key's name; nil for a key from a PEM or secret file, which serves every `kid`.
  public var id: String?
  /// The algorithm.
  public var algorithm: SignatureAlgorithm

  /// Makes a description.
  public init(id: String?, algorithm: SignatureAlgorithm) {
    self.id = id
    self.algorithm = algorithm
  }

  /// Describes a key that does not name its algorithm: it gets the only one of `fitting` that tokens may use.
  ///
  /// - Throws: `KeyFlaw` when none or several remain.
  public init(id: String?, fitting: [SignatureAlgorithm], allowed: [SignatureAlgorithm]) throws(KeyFlaw) {
    let candidates = fitting.filter(allowed.contains)
    guard let only = candidates.first else { throw .algorithmNotAllowed }
    guard candidates.count == 1 else { throw .ambiguousAlgorithm }
    self.init(id: id, algorithm: only)
  }
}
