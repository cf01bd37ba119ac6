import COpenSSL

/// Owns one `SSL_CTX`, which OpenSSL lets all threads share once it is set up.
@safe
final class ContextHandle: Sendable {
  nonisolated(unsafe) let pointer: OpaquePointer

  /// Makes a context with what both sides have in common: versions, ciphers and groups of Mozilla's "intermediate",
  /// no compression, no renegotiation, no buffer kept in an idle session.
  ///
  /// - Throws: `TLSError.resources` when OpenSSL has no memory or refuses the settings.
  init(side: Side, versions: ClosedRange<TLSVersion>) throws(TLSError) {
    let method = unsafe side == .server ? TLS_server_method() : TLS_client_method()
    guard let context = unsafe SSL_CTX_new(method) else { throw .resources }
    unsafe pointer = context
    unsafe sluice_ctx_set_common(context)
    // Whatever the machine's own configuration says.
    unsafe SSL_CTX_set_security_level(context, securityLevel)
    if side == .server { unsafe sluice_ctx_set_server_preference(context) }
    let isSet =
      unsafe sluice_ctx_set_versions(context, versions.lowerBound.number, versions.upperBound.number) == 1
      && SSL_CTX_set_cipher_list(context, tls12Ciphers) == 1
      && SSL_CTX_set_ciphersuites(context, tls13Ciphers) == 1
      && sluice_ctx_set_groups(context, groups) == 1
    guard isSet else { throw .resources }
  }

  deinit {
    unsafe SSL_CTX_free(pointer)
  }

  enum Side {
    case server
    case client
  }
}

extension TLSVersion {
  /// The version's number on the wire.
  fileprivate var number: Int32 {
    switch self {
    case .tls12: TLS1_2_VERSION
    case .tls13: TLS1_3_VERSION
    }
  }
}

private let tls13Ciphers = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
private let tls12Ciphers = [
  "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
].joined(separator: ":")
/// Nothing weaker than 112 bits: RSA of 2048 bits, no SHA-1 signatures.
private let securityLevel: Int32 = 2
private let groups = "X25519:P-256:P-384"
