import COpenSSL

/// Why a peer's certificate was refused; the raw value is the word for logs.
public enum CertificateFlaw: String, Sendable, CaseIterable {
  /// It showed none, and must.
  case missing = "certificate_missing"
  /// Its time, or that of one above it, has passed.
  case expired = "certificate_expired"
  /// Its time, or that of one above it, has not come.
  case notYetValid = "certificate_not_yet_valid"
  /// No authority that counts has signed it.
  case unknownAuthority = "certificate_unknown_authority"
  /// It is for something else than what it was shown for.
  case purpose = "certificate_purpose"
  /// Too many stand between it and an authority.
  case chainTooLong = "certificate_chain_too_long"
  /// It names another host.
  case name = "certificate_name"
  /// Anything else, such as a signature that is wrong or too weak.
  case invalid = "certificate_invalid"

  /// Reads what OpenSSL found, by its number of `X509_V_ERR_…`.
  init(verifyResult: Int) {
    switch Int32(truncatingIfNeeded: verifyResult) {
    case X509_V_ERR_CERT_HAS_EXPIRED: self = .expired
    case X509_V_ERR_CERT_NOT_YET_VALID: self = .notYetValid
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
      X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
      X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED:
      self = .unknownAuthority
    case X509_V_ERR_INVALID_PURPOSE: self = .purpose
    case X509_V_ERR_CERT_CHAIN_TOO_LONG: self = .chainTooLong
    case X509_V_ERR_HOSTNAME_MISMATCH: self = .name
    default: self = .invalid
    }
  }
}
