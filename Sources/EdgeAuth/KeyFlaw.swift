/// Why a key cannot be used.
public enum KeyFlaw: String, Error, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  /// Not a JSON object with a text `kty`.
  case notAKey = "not a key"
  /// A `kty` other than RSA, EC, OKP and oct.
  case unknownType = "unknown key type"
  /// A `crv` that no signature algorithm of ours uses.
  case unknownCurve = "unknown curve"
  /// An `alg` that is unknown, or not for signatures.
  case unknownAlgorithm = "unknown algorithm"
  /// The algorithm is not among those that tokens may use.
  case algorithmNotAllowed = "algorithm not allowed"
  /// `alg` does not fit the key's type or curve.
  case algorithmMismatch = "algorithm does not fit the key"
  /// No `alg`, and several of the allowed algorithms would fit.
  case ambiguousAlgorithm = "several algorithms fit, and alg names none"
  /// `use` or `key_ops` is for something other than verifying.
  case notForVerifying = "not for verifying"
  /// A `kid` that is no text, or longer than 256 bytes.
  case invalidID = "invalid kid"
  /// Missing material, wrong base64url, or a wrong length.
  case invalidMaterial = "invalid key material"
  /// An RSA key below 2048 bits, or a secret shorter than its hash.
  case tooWeak = "too weak"
  /// An RSA key above 8192 bits, which would take too long to verify with.
  case tooLarge = "too large"

  /// A phrase for an error message.
  public var description: String { rawValue }
}
