import COpenSSL
public import EdgeAuth
public import EdgeCore

/// A key that signs tokens: for `sluice token` and the demo, whose identity provider we are.
public struct SigningKey: Sendable {
  /// What it signs with.
  public let algorithm: SignatureAlgorithm
  private let material: SignatureMaterial

  /// Generates a key: an RSA one has 2048 bits, a secret the length of its hash, an Edwards key is on Ed25519.
  ///
  /// - Throws: `KeyError` when OpenSSL fails.
  public init(generating algorithm: SignatureAlgorithm) throws(KeyError) {
    self.algorithm = algorithm
    switch algorithm {
    case .hs256, .hs384, .hs512:
      material = try SignatureMaterial(secret: SecureRandom.bytes(count: algorithm.digest.count))
    case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512:
      material = try SignatureMaterial(KeyHandle(generating: .rsa(bits: 2048)))
    case .es256: material = try SignatureMaterial(KeyHandle(generating: .ec(curve: "P-256")))
    case .es384: material = try SignatureMaterial(KeyHandle(generating: .ec(curve: "P-384")))
    case .es512: material = try SignatureMaterial(KeyHandle(generating: .ec(curve: "P-521")))
    case .edDSA: material = try SignatureMaterial(KeyHandle(generating: .edwards(curve: "ED25519")))
    }
  }

  /// Reads the first private key of a PEM text.
  ///
  /// - Throws: `KeyError`; `.unsupported` when the key does not fit the algorithm.
  public init(pem: [UInt8], algorithm: SignatureAlgorithm) throws(KeyError) {
    try self.init(SignatureMaterial(KeyHandle(privatePEM: pem)), algorithm: algorithm)
  }

  /// Makes a key from a shared secret, at least as long as the algorithm's hash.
  ///
  /// - Throws: `KeyError`.
  public init(secret: [UInt8], algorithm: SignatureAlgorithm) throws(KeyError) {
    try self.init(SignatureMaterial(secret: secret), algorithm: algorithm)
  }

  private init(_ material: SignatureMaterial, algorithm: SignatureAlgorithm) throws(KeyError) {
    guard material.algorithms.contains(algorithm) else { throw .unsupported }
    self.material = material
    self.algorithm = algorithm
  }

  /// The key that checks what this one signs.
  public var verificationKey: VerificationKey { VerificationKey(material: material) }

  /// Signs; ECDSA signatures are r and s (RFC 7518 §3.4).
  ///
  /// - Throws: `KeyError.resources` when OpenSSL fails.
  public func sign(_ message: [UInt8]) throws(KeyError) -> [UInt8] {
    switch material.key {
    case .secret(let secret): return Digest.hmac(message.span, key: secret, algorithm: algorithm.digest)
    case .rsa(let key), .edwards(let key): return try sign(message, with: key)
    case .ec(let key, let curve):
      let der = try sign(message, with: key)
      guard let joined = ECDSASignature.joined(from: der, coordinateBytes: curve.coordinateBytes) else { throw .resources }
      return joined
    }
  }

  /// The private key as PEM; nil for a secret.
  public func pem() throws(KeyError) -> [UInt8]? {
    switch material.key {
    case .rsa(let key), .ec(let key, _), .edwards(let key): try key.privatePEM()
    case .secret: nil
    }
  }

  /// The public key as a JSON Web Key (RFC 7517), fit for publishing; nil for a secret, which is not.
  public func publicJWK(id: String) -> JSON? {
    guard let fields = publicFields else { return nil }
    let common: [JSON.Member] = [
      .init(name: "kid", value: .string(id)), .init(name: "use", value: "sig"),
      .init(name: "alg", value: .string(algorithm.rawValue)),
    ]
    return .object(fields + common)
  }

  private var publicFields: [JSON.Member]? {
    switch material.key {
    case .rsa(let key):
      guard let modulus = key.number("n"), let exponent = key.number("e") else { return nil }
      return [text("kty", "RSA"), encoded("n", modulus), encoded("e", exponent)]
    case .ec(let key, let curve):
      guard let point = key.point, point.count == 1 + 2 * curve.coordinateBytes else { return nil }
      let (x, y) = (point[1...curve.coordinateBytes], point[(1 + curve.coordinateBytes)...])
      return [text("kty", "EC"), text("crv", curve.rawValue), encoded("x", Array(x)), encoded("y", Array(y))]
    case .edwards(let key):
      guard let x = key.rawPublicKey else { return nil }
      let curve = key.kind == EVP_PKEY_ED25519 ? EdwardsCurve.ed25519 : .ed448
      return [text("kty", "OKP"), text("crv", curve.rawValue), encoded("x", x)]
    case .secret: return nil
    }
  }

  private func sign(_ message: [UInt8], with key: KeyHandle) throws(KeyError) -> [UInt8] {
    defer { ErrorQueue.clear() }
    guard let operation = SigningOperation() else { throw .resources }
    var settings: OpaquePointer?
    let digest = unsafe key.isEdwards ? nil : algorithm.digest.pointer
    var count = maxSignatureBytes
    var signature = [UInt8](repeating: 0, count: count)
    guard unsafe EVP_DigestSignInit(operation.pointer, &settings, digest, nil, key.pointer) == 1,
      unsafe !algorithm.usesPSS || sluice_use_pss(settings) == 1,
      unsafe EVP_DigestSign(operation.pointer, &signature, &count, message, message.count) == 1
    else { throw .resources }
    return Array(signature[..<count])
  }
}

extension KeyHandle {
  /// A number of an RSA key, big-endian.
  fileprivate func number(_ name: String) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: maxSignatureBytes)
    let count = unsafe sluice_key_number(pointer, name, &bytes, Int32(bytes.count))
    return count < 0 ? nil : Array(bytes[..<Int(count)])
  }

  /// The point of an EC key, uncompressed: 4, x, y.
  fileprivate var point: [UInt8]? {
    var bytes: UnsafeMutablePointer<UInt8>?
    let count = unsafe EVP_PKEY_get1_encoded_public_key(pointer, &bytes)
    defer { unsafe CRYPTO_free(bytes, nil, 0) }
    return unsafe bytes.map { unsafe Array(UnsafeBufferPointer(start: $0, count: count)) }
  }

  /// The public key of an Edwards curve.
  fileprivate var rawPublicKey: [UInt8]? {
    var count = 57
    var bytes = [UInt8](repeating: 0, count: count)
    return unsafe EVP_PKEY_get_raw_public_key(pointer, &bytes, &count) == 1 ? Array(bytes[..<count]) : nil
  }
}

private func text(_ name: String, _ value: String) -> JSON.Member {
  JSON.Member(name: name, value: .string(value))
}

private func encoded(_ name: String, _ bytes: [UInt8]) -> JSON.Member {
  JSON.Member(name: name, value: .string(Base64.urlSafe.encode(bytes)))
}

/// The signature, and the modulus, of an RSA key of 8192 bits.
private let maxSignatureBytes = 1_024
