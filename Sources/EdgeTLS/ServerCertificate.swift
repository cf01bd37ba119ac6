import COpenSSL
import EdgeCore

/// A chain with its key, read and checked, on its way into contexts.
final class ServerCertificate: Sendable {
  let name: String
  /// The server's own certificate, then those that vouch for it.
  let chain: [Certificate]
  let key: KeyHandle
  let leaf: Certificate

  /// Reads and checks a source.
  ///
  /// - Parameter now: when the dates must hold; nil to take them as they are.
  /// - Throws: `CertificateError`, about the chain or the key.
  init(_ source: CertificateSource, now: WallTime?) throws(CertificateError) {
    name = source.name
    chain = try Certificate.parse(pem: source.chainBytes(), name: name)
    guard let leaf = chain.first else { throw CertificateError(source: name, problem: .noCertificate("none found")) }
    self.leaf = leaf
    let keyBytes = try source.keyBytes()
    do throws(KeyError) {
      key = try KeyHandle(privatePEM: keyBytes)
    } catch {
      throw CertificateError(source: source.keyName, problem: .key(error))
    }
    guard unsafe X509_check_private_key(leaf.pointer, key.pointer) == 1 else {
      ErrorQueue.clear()
      throw CertificateError(source: source.keyName, problem: .keyMismatch(chain: name))
    }
    guard let now else { return }
    if let end = leaf.notAfter, end < now { throw CertificateError(source: name, problem: .expired(at: end)) }
    if let start = leaf.notBefore, now < start { throw CertificateError(source: name, problem: .notYetValid(until: start)) }
  }

  /// Certificates of different kinds of key can stand side by side in one context; of the same kind, one only.
  var keyKind: Int32 { key.kind }

  /// Puts chain and key into a context.
  func install(in context: ContextHandle) throws(CertificateError) {
    ErrorQueue.clear()
    var isInstalled = unsafe SSL_CTX_use_certificate(context.pointer, leaf.pointer) == 1
    for authority in chain.dropFirst() where isInstalled {
      isInstalled = unsafe sluice_ctx_add_chain(context.pointer, authority.pointer) == 1
    }
    guard isInstalled, unsafe SSL_CTX_use_PrivateKey(context.pointer, key.pointer) == 1 else {
      throw CertificateError(source: name, problem: .refused(ErrorQueue.takeReason()))
    }
  }
}
