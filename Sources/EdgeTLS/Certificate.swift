import COpenSSL
import EdgeCore

/// Owns one X.509 certificate, which nothing changes after parsing.
@safe
final class Certificate: Sendable {
  nonisolated(unsafe) let pointer: OpaquePointer

  /// Takes over a reference.
  init(taking pointer: OpaquePointer) {
    unsafe self.pointer = unsafe pointer
  }

  deinit {
    unsafe X509_free(pointer)
  }

  /// Reads all certificates of a PEM text, in its order.
  ///
  /// - Throws: `CertificateError` about `name` when there is none, or one cannot be read.
  static func parse(pem: [UInt8], name: String) throws(CertificateError) -> [Certificate] {
    ErrorQueue.clear()
    guard let bio = MemoryBIO(pem) else { throw CertificateError(source: name, problem: .unreadable("no memory")) }
    var certificates: [Certificate] = []
    while let next = unsafe PEM_read_bio_X509(bio.pointer, nil, nil, nil) {
      unsafe certificates.append(Certificate(taking: next))
    }
    let error = ERR_peek_last_error()
    let isAtEnd = sluice_error_library(error) == ERR_LIB_PEM && sluice_error_reason(error) == PEM_R_NO_START_LINE
    let reason = ErrorQueue.takeReason()
    guard isAtEnd, !certificates.isEmpty else {
      throw CertificateError(source: name, problem: .noCertificate(certificates.isEmpty && isAtEnd ? "none found" : reason))
    }
    return certificates
  }

  /// The DNS names it was issued for (RFC 5280 §4.2.1.6), lower-cased, `*.` kept.
  var names: [String] {
    guard let list = unsafe sluice_certificate_names(pointer) else { return [] }
    defer { unsafe GENERAL_NAMES_free(list) }
    var names: [String] = []
    for index in unsafe 0..<sluice_names_count(list) {
      var count: Int32 = 0
      guard let bytes = unsafe sluice_names_dns(list, index, &count), count > 0 else { continue }
      let text = unsafe UnsafeBufferPointer(start: bytes, count: Int(count))
      names.append(unsafe String(decoding: text.map(ASCII.lowercased), as: UTF8.self))
    }
    return names
  }

  /// The addresses it was issued for (RFC 5280 §4.2.1.6).
  var addresses: [IPAddress] {
    guard let list = unsafe sluice_certificate_names(pointer) else { return [] }
    defer { unsafe GENERAL_NAMES_free(list) }
    var addresses: [IPAddress] = []
    for index in unsafe 0..<sluice_names_count(list) {
      var count: Int32 = 0
      guard let start = unsafe sluice_names_address(list, index, &count) else { continue }
      let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: Int(count)))
      // In network order, as X.509 has it; any other length is no address.
      let words = bytes.reduce((high: UInt64(0), low: UInt64(0))) { ($0.high << 8 | $0.low >> 56, $0.low << 8 | UInt64($1)) }
      switch count {
      case 4: addresses.append(IPAddress(v4: UInt32(truncatingIfNeeded: words.low)))
      case 16: addresses.append(IPAddress(high: words.high, low: words.low))
      default: break
      }
    }
    return addresses
  }

  /// Whom it was issued to, as RFC 4514 writes it: `CN=chat.example.com,O=Example`.
  var subject: String { unsafe written { unsafe sluice_print_name($0, X509_get_subject_name(pointer)) == 1 } }

  /// Who vouches for it.
  var issuer: String { unsafe written { unsafe sluice_print_name($0, X509_get_issuer_name(pointer)) == 1 } }

  /// Its number among its issuer's, in hexadecimal digits.
  var serialNumber: String { unsafe written { unsafe i2a_ASN1_INTEGER($0, X509_get0_serialNumber(pointer)) > 0 } }

  /// What OpenSSL writes; empty where it cannot.
  private func written(_ write: (OpaquePointer) -> Bool) -> String {
    guard let bio = MemoryBIO(), unsafe write(bio.pointer) else {
      ErrorQueue.clear()
      return ""
    }
    return String(decoding: bio.bytes, as: UTF8.self)
  }

  /// The moment it begins to be valid, if its date can be read.
  var notBefore: WallTime? { unsafe seconds(of: X509_get0_notBefore(pointer)) }

  /// The moment after which it is no longer valid, if its date can be read.
  var notAfter: WallTime? { unsafe seconds(of: X509_get0_notAfter(pointer)) }

  /// The certificate as PEM.
  func pem() throws(TLSError) -> [UInt8] {
    guard let bio = MemoryBIO(), unsafe PEM_write_bio_X509(bio.pointer, pointer) == 1 else {
      ErrorQueue.clear()
      throw .resources
    }
    return bio.bytes
  }

  private func seconds(of time: UnsafePointer<ASN1_TIME>?) -> WallTime? {
    var days: Int32 = 0
    var seconds: Int32 = 0
    guard let epoch = unsafe ASN1_TIME_set(nil, 0) else { return nil }
    defer { unsafe ASN1_STRING_free(epoch) }
    guard unsafe ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return nil }
    return WallTime(seconds: Int64(days) * 86_400 + Int64(seconds))
  }
}

/// Owns a memory BIO, and keeps the bytes it reads from.
@safe
struct MemoryBIO: ~Copyable {
  let pointer: OpaquePointer

  /// Copies `bytes`, to be read; nil without memory.
  init?(_ bytes: [UInt8]) {
    self.init()
    if !bytes.isEmpty { unsafe BIO_write(pointer, bytes, Int32(clamping: bytes.count)) }
  }

  /// An empty one, to be written; nil without memory.
  init?() {
    guard let bio = unsafe BIO_new(BIO_s_mem()) else { return nil }
    unsafe pointer = unsafe bio
  }

  deinit {
    unsafe BIO_free(pointer)
  }

  /// A copy of what was written.
  var bytes: [UInt8] {
    var start: UnsafePointer<UInt8>?
    let count = unsafe sluice_bio_bytes(pointer, &start)
    return unsafe Array(UnsafeBufferPointer(start: start, count: count))
  }
}
