import COpenSSL
import EdgeAuth

/// A key with its kind known, fit for at least one algorithm.
struct SignatureMaterial: Sendable {
  enum Key: Sendable {
    case rsa(KeyHandle)
    case ec(KeyHandle, EllipticCurve)
    case edwards(KeyHandle)
    case secret([UInt8])
  }

  let key: Key

  /// Sorts out which kind a key is, and refuses what no algorithm uses.
  init(_ handle: KeyHandle) throws(KeyError) {
    switch handle.kind {
    case EVP_PKEY_RSA:
      guard rsaBits.contains(handle.bits) else { throw .size }
      key = .rsa(handle)
    case EVP_PKEY_EC:
      guard let curve = handle.curve else { throw .unsupported }
      key = .ec(handle, curve)
    case EVP_PKEY_ED25519, EVP_PKEY_ED448: key = .edwards(handle)
    default: throw .unsupported
    }
  }

  init(secret: [UInt8]) throws(KeyError) {
    guard secret.count >= minSecretBytes else { throw .size }
    key = .secret(secret)
  }

  /// What the key may be used with; a secret has at least the length of the hash (RFC 7518 §3.2).
  var algorithms: [SignatureAlgorithm] {
    switch key {
    case .rsa: [.rs256, .rs384, .rs512, .ps256, .ps384, .ps512]
    case .ec(_, let curve): [curve.algorithm]
    case .edwards: [.edDSA]
    case .secret(let secret): [.hs256, .hs384, .hs512].filter { secret.count >= $0.digest.count }
    }
  }
}

/// Owns one `EVP_MD_CTX`, for one signature to make or check.
@safe
struct SigningOperation: ~Copyable {
  let pointer: OpaquePointer

  /// Nil without memory.
  init?() {
    guard let context = unsafe EVP_MD_CTX_new() else { return nil }
    unsafe pointer = unsafe context
  }

  deinit {
    unsafe EVP_MD_CTX_free(pointer)
  }
}

extension KeyHandle {
  /// The curve of an EC key, if it is one of ours.
  var curve: EllipticCurve? {
    var name = [CChar](repeating: 0, count: 32)
    guard unsafe EVP_PKEY_get_group_name(pointer, &name, name.count, nil) == 1 else { return nil }
    switch String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) {
    case "prime256v1": return .p256
    case "secp384r1": return .p384
    case "secp521r1": return .p521
    default: return nil
    }
  }
}

extension SignatureAlgorithm {
  /// What the algorithm hashes with; for EdDSA, which brings its own, of no meaning.
  var digest: DigestAlgorithm {
    switch self {
    case .hs256, .rs256, .ps256, .es256, .edDSA: .sha256
    case .hs384, .rs384, .ps384, .es384: .sha384
    case .hs512, .rs512, .ps512, .es512: .sha512
    }
  }

  var usesPSS: Bool {
    switch self {
    case .ps256, .ps384, .ps512: true
    case .hs256, .hs384, .hs512, .rs256, .rs384, .rs512, .es256, .es384, .es512, .edDSA: false
    }
  }
}

/// Shorter is weak; longer takes too long to verify with.
private let rsaBits = 2048...8192
private let minSecretBytes = 32
