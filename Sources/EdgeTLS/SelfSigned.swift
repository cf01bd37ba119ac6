import COpenSSL
public import EdgeCore

/// A certificate chain and its key as PEM text.
public struct PEMIdentity: Sendable, Equatable {
  /// The certificates, the server's own first.
  public let chain: [UInt8]
  /// The private key, without a password.
  public let key: [UInt8]

  /// As a listener's certificate; `name` stands for it in errors and metrics.
  public func source(name: String) -> CertificateSource {
    .pem(name: name, chain: chain, key: key)
  }
}

/// Certificates that vouch for themselves: for the demo and for tests.
public enum SelfSigned {
  /// Makes a certificate with a new ECDSA P-256 key.
  ///
  /// - Parameters:
  ///   - names: the DNS names it is for, `*.` allowed; the first is its common name.
  ///   - addresses: the IP addresses it is for.
  ///   - now: when it begins to be valid, less an hour for clocks that differ.
  ///   - days: how long it is valid.
  /// - Throws: `TLSError.certificate` when a name is no DNS name or none is given; `.resources` when OpenSSL fails.
  public static func certificate(
    names: [String], addresses: [IPAddress] = [], now: WallTime, days: Int = 30
  ) throws(TLSError) -> PEMIdentity {
    let key: KeyHandle
    do throws(KeyError) { key = try KeyHandle(generating: .ec(curve: "P-256")) } catch { throw .resources }
    return try certificate(
      names: names, addresses: addresses, key: key, from: now.seconds - 3_600, to: now.seconds + Int64(days) * 86_400)
  }

  /// Makes a certificate for a key; the times are Unix seconds.
  static func certificate(
    names: [String], addresses: [IPAddress] = [], key: KeyHandle, from start: Int64, to end: Int64
  ) throws(TLSError) -> PEMIdentity {
    guard let commonName = names.first, names.allSatisfy(isName) else { throw .certificate }
    let alternatives = names.map { "DNS:" + $0 } + addresses.map { "IP:\($0)" }
    let serial = SecureRandom.word() >> 1 | 1
    ErrorQueue.clear()
    guard let pointer = unsafe X509_new() else { throw .resources }
    let certificate = unsafe Certificate(taking: pointer)
    let subject = unsafe X509_get_subject_name(pointer)
    let isSigned =
      unsafe X509_set_version(pointer, Int(X509_VERSION_3)) == 1
      && ASN1_INTEGER_set_uint64(X509_get_serialNumber(pointer), serial) == 1
      && ASN1_TIME_set(X509_getm_notBefore(pointer), Int(start)) != nil
      && ASN1_TIME_set(X509_getm_notAfter(pointer), Int(end)) != nil
      && X509_NAME_add_entry_by_NID(
        subject, NID_commonName, MBSTRING_UTF8, Array(commonName.utf8), Int32(commonName.utf8.count), -1, 0) == 1
      && X509_set_issuer_name(pointer, subject) == 1
      && X509_set_pubkey(pointer, key.pointer) == 1
      && sluice_certificate_add(pointer, NID_subject_key_identifier, "hash") == 1
      && sluice_certificate_add(pointer, NID_authority_key_identifier, "keyid") == 1
      && sluice_certificate_add(pointer, NID_basic_constraints, "critical,CA:FALSE") == 1
      && sluice_certificate_add(pointer, NID_key_usage, "critical,digitalSignature") == 1
      && sluice_certificate_add(pointer, NID_ext_key_usage, "serverAuth") == 1
      && sluice_certificate_add(pointer, NID_subject_alt_name, alternatives.joined(separator: ",")) == 1
      && X509_sign(pointer, key.pointer, key.isEdwards ? nil : EVP_sha256()) > 0
    guard isSigned else {
      ErrorQueue.clear()
      throw .resources
    }
    guard let keyPEM = try? key.privatePEM() else { throw .resources }
    return PEMIdentity(chain: try certificate.pem(), key: keyPEM)
  }

  /// Whether every label is of letters, digits and hyphens, so that the name means nothing else to OpenSSL's syntax.
  private static func isName(_ name: String) -> Bool {
    let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return (1...63).contains(name.utf8.count)
      && labels.enumerated().allSatisfy { index, label in
        if index == 0 && labels.count > 1 && label.elementsEqual("*".utf8) { return true }
        return !label.isEmpty && label.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || $0 == UInt8(ascii: "-") }
      }
  }
}
