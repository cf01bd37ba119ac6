import COpenSSL
import EdgeCore

/// Which certificates the clients of a listener show, and who must have signed them.
///
/// The authorities that are given vouch, and nobody else: neither the system's nor the server's own. One that another has signed
/// vouches as well as a root does. What a client shows must hold by its dates and be meant for clients; else the handshake fails,
/// also where none need be shown.
@safe
public final class ClientVerification: Sendable {
  /// Whether a client may come without a certificate.
  public enum Demand: String, Sendable, CaseIterable {
    /// It may.
    case optional
    /// It may not.
    case required
  }

  /// The most certificates between a client's own and an authority.
  public static let maxIntermediates = 3
  /// The most that the names of the authorities may take in a handshake, in bytes: every client is sent them.
  public static let maxNameBytes = 16_384

  /// What errors call the authorities: their file's path, or the given name.
  public let name: String
  /// SHA-256 over the authorities as they were read.
  public let fingerprint: [UInt8]
  private let demand: Demand
  private let authorities: [Certificate]
  /// Sessions resume only where this is the same: at the same listener, with the same demand and the same authorities.
  private let sessionContext: [UInt8]
  // Nothing changes it once it is made, and OpenSSL counts who holds it with a lock.
  nonisolated(unsafe) private let store: OpaquePointer

  /// Reads the authorities of a PEM file, of at most `CertificateSource.maxFileBytes`.
  ///
  /// - Parameter listener: where clients come; a session of another listener is not resumed there.
  /// - Throws: `CertificateError` about the file.
  public convenience init(
    _ demand: Demand, authorities path: String, listener: String
  ) throws(CertificateError) {
    try self.init(demand, authorities: readFile(path), name: path, listener: listener)
  }

  /// Reads the authorities of a PEM text; `name` stands for it in errors.
  init(_ demand: Demand, authorities pem: [UInt8], name: String, listener: String) throws(CertificateError) {
    self.demand = demand
    self.name = name
    authorities = try Certificate.parse(pem: pem, name: name)
    fingerprint = Digest.sha256(pem)
    sessionContext = Digest.sha256(Array("\(demand) \(listener)\0".utf8) + fingerprint)
    let nameBytes = authorities.reduce(0) { $0 + $1.subjectBytes + 2 }
    guard nameBytes <= Self.maxNameBytes else {
      throw CertificateError(source: name, problem: .tooManyAuthorities(nameBytes: nameBytes))
    }
    guard let store = unsafe X509_STORE_new() else { throw CertificateError(source: name, problem: .refused("no memory")) }
    unsafe self.store = unsafe store
    for authority in authorities where unsafe X509_STORE_add_cert(store, authority.pointer) != 1 {
      throw CertificateError(source: name, problem: .refused(ErrorQueue.takeReason()))
    }
  }

  deinit {
    unsafe X509_STORE_free(store)
  }

  /// Makes the handshakes of a server's context ask for certificates.
  func install(in context: ContextHandle) throws(CertificateError) {
    let pointer = unsafe context.pointer
    let flags = demand == .required ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_PEER
    unsafe SSL_CTX_set_verify(pointer, flags, nil)
    unsafe SSL_CTX_set_verify_depth(pointer, Int32(Self.maxIntermediates))
    var isSet =
      unsafe sluice_ctx_verify_clients(pointer, store) == 1
      && sluice_ctx_set_client_signatures(pointer, allSignatures) == 1
      && SSL_CTX_set_session_id_context(pointer, sessionContext, UInt32(sessionContext.count)) == 1
      && SSL_CTX_set_session_ticket_cb(pointer, nil, judgeTicket, nil) == 1
    for authority in authorities where isSet { isSet = unsafe SSL_CTX_add_client_CA(pointer, authority.pointer) == 1 }
    guard isSet else { throw CertificateError(source: name, problem: .refused(ErrorQueue.takeReason())) }
  }
}

extension ClientVerification: CustomStringConvertible {
  /// What tells it from another, for people.
  public var description: String { "\(authorities.count) authorities, sha256 \(Hexadecimal.text(fingerprint.prefix(8)))" }
}

/// The certificate that a client showed in its handshake, or in that of the session it resumes, and that was verified there.
public struct ClientCertificate: Sendable, Equatable {
  /// Whom it was issued to, as RFC 4514 writes it; empty where only other names stand in it.
  public let subject: String
  /// SHA-256 over the certificate.
  public let fingerprint: [UInt8]
}

extension TLSSession {
  /// What the client is known by, if it showed a certificate. Read from the session each time: nothing is kept beside it.
  public var clientCertificate: ClientCertificate? {
    guard unsafe SSL_get_verify_result(ssl) == X509_V_OK, let pointer = unsafe SSL_get1_peer_certificate(ssl) else { return nil }
    let certificate = unsafe Certificate(taking: pointer)
    guard let fingerprint = certificate.fingerprint else { return nil }
    return ClientCertificate(subject: certificate.subject, fingerprint: fingerprint)
  }
}

extension Certificate {
  /// How many bytes its subject takes in a handshake.
  fileprivate var subjectBytes: Int { unsafe Int(max(0, i2d_X509_NAME(X509_get_subject_name(pointer), nil))) }

  /// SHA-256 over the certificate itself.
  fileprivate var fingerprint: [UInt8]? {
    var digest = [UInt8](repeating: 0, count: DigestAlgorithm.sha256.count)
    var count: UInt32 = 0
    guard unsafe X509_digest(pointer, DigestAlgorithm.sha256.pointer, &digest, &count) == 1, Int(count) == digest.count else {
      ErrorQueue.clear()
      return nil
    }
    return digest
  }
}

/// A session is not resumed once its client's certificate has expired: OpenSSL verifies in full handshakes alone, and tickets that
/// are renewed might keep a session for ever.
private func judgeTicket(
  ssl: OpaquePointer?, session: OpaquePointer?, keyName: UnsafePointer<UInt8>?, keyNameCount: Int, status: SSL_TICKET_STATUS,
  argument: UnsafeMutableRawPointer?
) -> SSL_TICKET_RETURN {
  let isOpened = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW
  guard isOpened, let session = unsafe session else { return SSL_TICKET_RETURN_IGNORE_RENEW }
  if let peer = unsafe SSL_SESSION_get0_peer(session), unsafe X509_cmp_current_time(X509_get0_notAfter(peer)) <= 0 {
    return SSL_TICKET_RETURN_IGNORE_RENEW
  }
  return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW
}
