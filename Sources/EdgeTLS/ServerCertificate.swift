import COpenSSL
import EdgeCore

/// A chain with its key, read and checked, on its way into contexts.
final class ServerCertificate: Sendable {
  let name: String
  /// The server's own certificate, then those that vouch for it.
  let chain: [Certificate]
  let key: KeyHandle
  let leaf: Certificate
  /// SHA-256 of the chain as it was read.
  let fingerprint: [UInt8]

  /// Reads and checks a source.
  ///
  /// - Parameter now: when the dates must hold; nil to take them as they are.
  /// - Throws: `CertificateError`, about the chain or the key.
  init(_ source: CertificateSource, now: WallTime?) throws(CertificateError) {
    name = source.name
    let chainBytes = try source.chainBytes()
    chain = try Certificate.parse(pem: chainBytes, name: name)
    fingerprint = Digest.sha256(chainBytes)
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

extension ContextHandle {
  /// Takes the signature algorithms off the server's list that no certificate of these kinds of key can make use of. A session
  /// remembers all that its client takes too: with OpenSSL's own list 112 bytes more of each connection.
  func offerSignatures(of kinds: Set<Int32>) throws(TLSError) {
    let lists = signatureLists.filter { kinds.contains($0.kind) }
    // A kind that is not listed keeps OpenSSL's own list.
    guard lists.count == kinds.count else { return }
    let list = lists.map(\.signatures).joined(separator: ":")
    guard unsafe sluice_ctx_set_signatures(pointer, list) == 1 else { throw .resources }
  }
}

/// What a client may sign with, whose certificate is of any kind.
let allSignatures = signatureLists.map(\.signatures).joined(separator: ":")

/// What a key of each kind signs with, best first, as OpenSSL prefers it.
private let signatureLists: [(kind: Int32, signatures: String)] = [
  (EVP_PKEY_EC, "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512"),
  (EVP_PKEY_ED25519, "ed25519"),
  (EVP_PKEY_ED448, "ed448"),
  (EVP_PKEY_RSA_PSS, "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512"),
  (EVP_PKEY_RSA, "RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512"),
]
