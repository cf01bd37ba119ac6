import COpenSSL
public import EdgeAuth

/// A key that checks signatures of tokens: public, or a shared secret.
public struct VerificationKey: Sendable {
  private let material: SignatureMaterial

  /// Makes a key from the material of a JSON Web Key.
  ///
  /// - Throws: `KeyError` when a point is not on its curve, or the size is wrong.
  public init(_ material: JWKMaterial) throws(KeyError) {
    ErrorQueue.clear()
    switch material {
    case .rsa(let modulus, let exponent):
      guard exponent.count <= maxExponentBytes else { throw .size }
      let key = unsafe sluice_rsa_public_key(modulus, modulus.count, exponent, exponent.count)
      self.material = try unsafe SignatureMaterial(KeyHandle(taking: key))
    case .ec(let curve, let x, let y):
      let point = [uncompressedPoint] + x + y
      let key = unsafe sluice_ec_public_key(curve.rawValue, point, point.count)
      self.material = try unsafe SignatureMaterial(KeyHandle(taking: key))
    case .okp(let curve, let x):
      let key = unsafe EVP_PKEY_new_raw_public_key_ex(nil, curve.rawValue, nil, x, x.count)
      self.material = try unsafe SignatureMaterial(KeyHandle(taking: key))
    case .oct(let secret):
      self.material = try SignatureMaterial(secret: secret)
    }
  }

  /// Makes a key from a JSON Web Key.
  ///
  /// - Throws: `KeyError`; `.unsupported` when the key does not fit its algorithm.
  public init(_ key: JSONWebKey) throws(KeyError) {
    try self.init(key.material)
    guard algorithms.contains(key.algorithm) else { throw .unsupported }
  }

  /// Reads the first public key, or the key of the first certificate, of a PEM text.
  public init(pem: [UInt8]) throws(KeyError) {
    material = try SignatureMaterial(KeyHandle(publicPEM: pem))
  }

  /// Makes a key from a shared secret of at least 32 bytes.
  public init(secret: [UInt8]) throws(KeyError) {
    material = try SignatureMaterial(secret: secret)
  }

  init(material: SignatureMaterial) {
    self.material = material
  }

  /// The algorithms that the key fits. A verifier allows one of them (RFC 8725 §3.1).
  public var algorithms: [SignatureAlgorithm] { material.algorithms }

  /// Whether `signature` is that of `message`. False well for an algorithm that the key does not fit.
  public func verify(algorithm: SignatureAlgorithm, signature: Span<UInt8>, over message: Span<UInt8>) -> Bool {
    guard material.algorithms.contains(algorithm) else { return false }
    switch material.key {
    case .secret(let secret):
      let code = Digest.hmac(message, key: secret, algorithm: algorithm.digest)
      return constantTimeEquals(code, (0..<signature.count).map { signature[$0] })
    case .ec(let key, let curve):
      guard signature.count == 2 * curve.coordinateBytes else { return false }
      return verify(ECDSASignature.der(from: signature).span, of: message, by: key, algorithm: algorithm)
    case .rsa(let key), .edwards(let key):
      return verify(signature, of: message, by: key, algorithm: algorithm)
    }
  }

  private func verify(
    _ signature: Span<UInt8>, of message: Span<UInt8>, by key: KeyHandle, algorithm: SignatureAlgorithm
  ) -> Bool {
    defer { ErrorQueue.clear() }
    guard let operation = SigningOperation() else { return false }
    var settings: OpaquePointer?
    let digest = unsafe key.isEdwards ? nil : algorithm.digest.pointer
    guard unsafe EVP_DigestVerifyInit(operation.pointer, &settings, digest, nil, key.pointer) == 1,
      unsafe !algorithm.usesPSS || sluice_use_pss(settings) == 1
    else { return false }
    return unsafe signature.withUnsafeBufferPointer { signature in
      unsafe message.withUnsafeBufferPointer { message in
        unsafe EVP_DigestVerify(
          operation.pointer, signature.baseAddress, signature.count, message.baseAddress, message.count) == 1
      }
    }
  }
}

/// Keys by their positions, as `TokenVerifier` asks for them.
public struct VerificationKeys: SignatureChecker, Sendable {
  /// The keys, in the order of the verifier's.
  public let keys: [VerificationKey]

  /// Makes a set.
  public init(_ keys: [VerificationKey]) {
    self.keys = keys
  }

  /// Whether `signature` is that of `signingInput` by key number `keyIndex`; false for a number that is none.
  public func isValid(
    signature: Span<UInt8>, of signingInput: Span<UInt8>, keyIndex: Int, algorithm: SignatureAlgorithm
  ) -> Bool {
    keys.indices.contains(keyIndex) && keys[keyIndex].verify(algorithm: algorithm, signature: signature, over: signingInput)
  }
}

/// The lead byte of a point that is given by both coordinates (SEC 1 §2.3.3).
private let uncompressedPoint: UInt8 = 4
/// A longer exponent would only make verifying slow.
private let maxExponentBytes = 8
