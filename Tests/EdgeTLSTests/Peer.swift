import COpenSSL

@testable import EdgeTLS

// What a well-behaved client of ours never does, or never asks.
extension TLSSession {
  /// Begins a second handshake on a TLS 1.2 session; its ClientHello goes to the output.
  mutating func requestRenegotiation() {
    SSL_clear_options(ssl, SSL_get_options(ssl))
    SSL_renegotiate(ssl)
    SSL_do_handshake(ssl)
    ERR_clear_error()
  }

  /// Changes the keys with the next write, and asks the peer to do so too (RFC 8446 §4.6.3).
  mutating func requestKeyUpdate() {
    SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED)
  }

  /// The certificate that the peer showed.
  var peerCertificate: Certificate? {
    SSL_get1_peer_certificate(ssl).map { Certificate(taking: $0) }
  }
}

extension Certificate {
  var isRSA: Bool { EVP_PKEY_get_base_id(X509_get0_pubkey(pointer)) == EVP_PKEY_RSA }
}

extension TLSClientContext {
  /// Offers only that signature algorithm, as in `ECDSA+SHA256`.
  func offerOnly(signatures: String) {
    sluice_ctx_set_signatures(handle.pointer, signatures)
  }
}
