import COpenSSL
import EdgeAuth

/// Why a key cannot be used.
public enum KeyError: Error, Equatable, Sendable, CustomStringConvertible {
  /// No key can be parsed; OpenSSL's reason.
  case unreadable(String)
  /// A password protects it.
  case encrypted
  /// It is of a kind or on a curve that no algorithm of ours uses.
  case unsupported
  /// RSA of fewer than 2048 or more than 8192 bits, or a secret of fewer than 32 bytes.
  case size
  /// OpenSSL has no memory, or no randomness.
  case resources

  /// What is wrong, and what was expected.
  public var description: String {
    switch self {
    case .unreadable(let reason): "no key (\(reason)); expected PEM"
    case .encrypted: "the key has a password; expected one without"
    case .unsupported: "the key is of an unknown kind; expected RSA, EC on P-256, P-384 or P-521, Ed25519 or Ed448"
    case .size: "the key has the wrong size; expected RSA of 2048 to 8192 bits, or a secret of at least 32 bytes"
    case .resources: "OpenSSL failed"
    }
  }
}

/// Owns one `EVP_PKEY`, public or private, which nothing changes after it was made.
@safe
final class KeyHandle: Sendable {
  /// What to generate.
  enum Kind {
    case rsa(bits: Int)
    case ec(curve: String)
    case edwards(curve: String)
  }

  nonisolated(unsafe) let pointer: OpaquePointer

  /// Takes over a reference, or fails when a call gave none.
  init(taking made: OpaquePointer?) throws(KeyError) {
    guard let made = unsafe made else { throw .unreadable(ErrorQueue.takeReason()) }
    unsafe pointer = unsafe made
  }

  /// Generates a key.
  convenience init(generating kind: Kind) throws(KeyError) {
    ErrorQueue.clear()
    switch kind {
    case .rsa(let bits): try unsafe self.init(taking: sluice_generate_rsa(bits))
    case .ec(let curve): try unsafe self.init(taking: sluice_generate_ec(curve))
    case .edwards(let curve): try unsafe self.init(taking: sluice_generate_edwards(curve))
    }
  }

  /// Reads the first private key of a PEM text.
  convenience init(privatePEM pem: [UInt8]) throws(KeyError) {
    ErrorQueue.clear()
    guard let bio = MemoryBIO(pem) else { throw .resources }
    let key = unsafe sluice_read_private_key(bio.pointer)
    let error = ERR_peek_last_error()
    if unsafe key == nil, sluice_error_library(error) == ERR_LIB_PEM, sluice_error_reason(error) == PEM_R_BAD_PASSWORD_READ {
      ErrorQueue.clear()
      throw .encrypted
    }
    try unsafe self.init(taking: key)
  }

  /// Reads the first public key of a PEM text, or that of its first certificate.
  convenience init(publicPEM pem: [UInt8]) throws(KeyError) {
    ErrorQueue.clear()
    if let certificate = try? Certificate.parse(pem: pem, name: "").first {
      try unsafe self.init(taking: X509_get_pubkey(certificate.pointer))
    } else {
      guard let bio = MemoryBIO(pem) else { throw .resources }
      try unsafe self.init(taking: PEM_read_bio_PUBKEY(bio.pointer, nil, nil, nil))
    }
  }

  deinit {
    unsafe EVP_PKEY_free(pointer)
  }

  /// One of `EVP_PKEY_RSA`, `EVP_PKEY_EC`, `EVP_PKEY_ED25519`, …
  var kind: Int32 { unsafe EVP_PKEY_get_base_id(pointer) }

  /// The size in bits, as of an RSA modulus.
  var bits: Int { unsafe Int(EVP_PKEY_get_bits(pointer)) }

  /// Its kind and size in words, such as `EC P-256` or `RSA 2048`.
  var typeName: String {
    switch kind {
    case EVP_PKEY_RSA: "RSA \(bits)"
    case EVP_PKEY_RSA_PSS: "RSA-PSS \(bits)"
    case EVP_PKEY_EC: "EC \(curve?.rawValue ?? String(bits))"
    case EVP_PKEY_ED25519: "Ed25519"
    case EVP_PKEY_ED448: "Ed448"
    default: "other"
    }
  }

  /// Whether signatures are of a kind that brings its own digest (RFC 8032).
  var isEdwards: Bool { kind == EVP_PKEY_ED25519 || kind == EVP_PKEY_ED448 }

  /// The private key as PEM (PKCS #8), without a password.
  func privatePEM() throws(KeyError) -> [UInt8] {
    ErrorQueue.clear()
    guard let bio = MemoryBIO(), unsafe PEM_write_bio_PKCS8PrivateKey(bio.pointer, pointer, nil, nil, 0, nil, nil) == 1 else {
      throw .unreadable(ErrorQueue.takeReason())
    }
    return bio.bytes
  }
}
