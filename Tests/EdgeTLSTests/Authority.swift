import COpenSSL
import EdgeCore

@testable import EdgeTLS

/// Vouches for certificates of clients.
final class Authority: Sendable {
  let pem: [UInt8]
  private let certificate: Certificate
  private let key = Fixture.key(.ec(curve: "P-256"))
  /// Those that a certificate of this authority is shown with, nearest first: itself and so on, without the root.
  private let chain: [UInt8]

  init(_ name: String, by parent: Authority? = nil) {
    certificate = make([(NID_commonName, name)], key: key, signer: parent.map { ($0.certificate, $0.key) } ?? nil, usage: nil)
    do { pem = try certificate.pem() } catch { fatalError("\(error)") }
    chain = parent.map { [pem] in pem + $0.chain } ?? []
  }

  /// - Parameters:
  ///   - usage: what the certificate is for; nil for anything.
  ///   - showsChain: whether it comes with what stands between it and the root.
  func issue(
    _ subject: [(kind: Int32, value: String)] = [(NID_commonName, "device 7")], key: KeyHandle = Fixture.ecKey,
    usage: String? = "clientAuth", from start: Int64 = 0, to end: Int64 = 3_000_000_000, showsChain: Bool = true
  ) -> PEMIdentity {
    let leaf = make(subject, key: key, signer: (certificate, self.key), usage: usage ?? "anyone", from: start, to: end)
    do {
      return PEMIdentity(chain: try leaf.pem() + (showsChain ? chain : []), key: try key.privatePEM())
    } catch { fatalError("\(error)") }
  }
}

/// - Parameters:
///   - signer: nil for a certificate that signs itself.
///   - usage: nil for an authority.
private func make(
  _ subject: [(kind: Int32, value: String)], key: KeyHandle, signer: (certificate: Certificate, key: KeyHandle)?, usage: String?,
  from start: Int64 = 0, to end: Int64 = 3_000_000_000
) -> Certificate {
  let certificate = Certificate(taking: X509_new())
  let pointer = certificate.pointer
  let name = X509_get_subject_name(pointer)
  for (kind, value) in subject {
    X509_NAME_add_entry_by_NID(name, kind, MBSTRING_UTF8, Array(value.utf8), Int32(value.utf8.count), -1, 0)
  }
  X509_set_version(pointer, Int(X509_VERSION_3))
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(pointer), UInt64.random(in: 1 ... .max >> 1))
  ASN1_TIME_set(X509_getm_notBefore(pointer), Int(start))
  ASN1_TIME_set(X509_getm_notAfter(pointer), Int(end))
  X509_set_issuer_name(pointer, signer.map { X509_get_subject_name($0.certificate.pointer) } ?? name)
  X509_set_pubkey(pointer, key.pointer)
  sluice_certificate_add(pointer, NID_basic_constraints, usage == nil ? "critical,CA:TRUE" : "critical,CA:FALSE")
  sluice_certificate_add(pointer, NID_key_usage, usage == nil ? "critical,keyCertSign" : "critical,digitalSignature")
  if let usage, usage != "anyone" { sluice_certificate_add(pointer, NID_ext_key_usage, usage) }
  let signingKey = signer?.key ?? key
  guard X509_sign(pointer, signingKey.pointer, EVP_sha256()) > 0 else { fatalError("a certificate cannot be signed") }
  return certificate
}

extension TLSClientContext {
  /// Shows a certificate to servers that ask for one.
  func show(_ identity: PEMIdentity) {
    do {
      try ServerCertificate(identity.source(name: "client"), now: nil).install(in: handle)
    } catch { fatalError("\(error)") }
  }
}

extension TLSServerContext {
  /// Verifies certificates as if it were that time.
  func verify(at seconds: Int) {
    X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(defaultContext.pointer), seconds)
  }
}

extension TLSSession {
  /// The authorities that the server says it believes.
  var announcedAuthorities: [String] {
    guard let list = SSL_get0_peer_CA_list(ssl) else { return [] }
    return (0..<OPENSSL_sk_num(list)).compactMap { index in
      guard let bio = MemoryBIO() else { return nil }
      sluice_print_name(bio.pointer, OPENSSL_sk_value(list, index).map { OpaquePointer($0) })
      return String(decoding: bio.bytes, as: UTF8.self)
    }
  }
}
