import COpenSSL

/// What TLS clients of the edge share: whom they trust and what they offer.
public final class TLSClientContext: Sendable {
  /// Whose certificates a client takes.
  public enum Trust: Sendable {
    /// Anyone's: for tests and load generators.
    case anyone
    /// Those the system's certificate authorities vouch for.
    case system
    /// Those that the PEM certificates vouch for.
    case authorities(pem: [UInt8])
  }

  let handle: ContextHandle

  /// Makes a client context.
  ///
  /// - Parameter applicationProtocols: what to offer (RFC 7301), best first; names of 1 to 255 bytes.
  /// - Throws: `TLSError.resources` when OpenSSL refuses; `.certificate` when the authorities cannot be read.
  public init(
    trust: Trust, applicationProtocols: [String] = [], versions: ClosedRange<TLSVersion> = .tls12 ... .tls13
  ) throws(TLSError) {
    handle = try ContextHandle(side: .client, versions: versions)
    let context = unsafe handle.pointer
    switch trust {
    case .anyone: unsafe SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
    case .system:
      guard unsafe SSL_CTX_set_default_verify_paths(context) == 1 else { throw .certificate }
      unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
    case .authorities(let pem):
      guard let store = unsafe SSL_CTX_get_cert_store(context), let authorities = try? Certificate.parse(pem: pem, name: "")
      else {
        throw .certificate
      }
      for authority in authorities where unsafe X509_STORE_add_cert(store, authority.pointer) != 1 { throw .certificate }
      unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
    }
    let wire = applicationProtocols.flatMap { [UInt8(truncatingIfNeeded: $0.utf8.count)] + $0.utf8 }
    guard unsafe wire.isEmpty || SSL_CTX_set_alpn_protos(context, wire, UInt32(wire.count)) == 0 else { throw .resources }
  }
}

/// A session that a client can resume. The same one may serve several connections.
@safe
public final class TLSClientTicket: Sendable {
  // OpenSSL counts who holds a session, on whatever thread (SSL_SESSION_up_ref(3)).
  nonisolated(unsafe) let session: OpaquePointer

  /// Takes over a reference.
  init(taking session: OpaquePointer) {
    unsafe self.session = unsafe session
  }

  deinit {
    unsafe SSL_SESSION_free(session)
  }
}
