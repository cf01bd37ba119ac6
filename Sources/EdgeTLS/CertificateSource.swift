import COpenSSL
public import EdgeCore

/// Where a certificate chain and its key come from, as PEM.
public enum CertificateSource: Sendable, Equatable {
  /// Files; read when a context is made, at most `CertificateSource.maxFileBytes` each.
  case files(chain: String, key: String)
  /// Bytes; `name` stands for them in errors and metrics.
  case pem(name: String, chain: [UInt8], key: [UInt8])

  /// The largest file that is read, in bytes.
  public static let maxFileBytes = 1_048_576

  /// What errors and metrics call it: the chain's path, or the given name.
  public var name: String {
    switch self {
    case .files(chain: let path, key: _): path
    case .pem(let name, chain: _, key: _): name
    }
  }

  /// What errors call the key.
  var keyName: String {
    switch self {
    case .files(chain: _, key: let path): path
    case .pem(let name, chain: _, key: _): name
    }
  }

  func chainBytes() throws(CertificateError) -> [UInt8] {
    switch self {
    case .files(chain: let path, key: _): try readFile(path)
    case .pem(name: _, chain: let bytes, key: _): bytes
    }
  }

  func keyBytes() throws(CertificateError) -> [UInt8] {
    switch self {
    case .files(chain: _, key: let path): try readFile(path)
    case .pem(name: _, chain: _, key: let bytes): bytes
    }
  }
}

/// Why a certificate cannot be served: which file, what is wrong, and what was expected.
public struct CertificateError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file's path, or the name of the source.
  public let source: String
  /// What is wrong with it.
  public let problem: Problem

  /// What can be wrong with a certificate or key.
  public enum Problem: Equatable, Sendable {
    /// It cannot be read; the system's reason.
    case unreadable(String)
    /// It is larger than `CertificateSource.maxFileBytes`.
    case tooLarge
    /// It holds no certificate that can be parsed; OpenSSL's reason.
    case noCertificate(String)
    /// It holds no private key that can be used.
    case key(KeyError)
    /// The key belongs to another certificate than the first one in `chain`.
    case keyMismatch(chain: String)
    /// The certificate's time has passed.
    case expired(at: WallTime)
    /// The certificate's time has not come.
    case notYetValid(until: WallTime)
    /// OpenSSL will not serve it, as when the key is too short.
    case refused(String)
    /// The names of the authorities of client certificates take more than `ClientVerification.maxNameBytes`.
    case tooManyAuthorities(nameBytes: Int)
    /// A listener needs at least one certificate.
    case noneConfigured
  }

  /// One line for the operator.
  public var description: String {
    switch problem {
    case .unreadable(let reason): "\(source): cannot be read (\(reason)); expected a readable PEM file"
    case .tooLarge: "\(source): larger than \(CertificateSource.maxFileBytes) bytes; expected a PEM file"
    case .noCertificate(let reason):
      "\(source): no certificate (\(reason)); expected PEM `BEGIN CERTIFICATE`, the server's own first"
    case .key(let error): "\(source): \(error)"
    case .keyMismatch(let chain): "\(source): not the key of the first certificate in \(chain)"
    case .expired(let moment): "\(source): expired on \(date(moment)); expected a certificate that is valid now"
    case .notYetValid(let moment): "\(source): valid only from \(date(moment)); expected a certificate that is valid now"
    case .refused(let reason): "\(source): refused (\(reason)); expected RSA of 2048 bits or more, ECDSA or Ed25519"
    case .tooManyAuthorities(let count):
      "\(source): names of \(count) bytes; expected authorities whose names take at most \(ClientVerification.maxNameBytes) bytes"
    case .noneConfigured: "no certificate is configured; expected at least one chain and key"
    }
  }
}

/// Reads a whole file through OpenSSL.
func readFile(_ path: String) throws(CertificateError) -> [UInt8] {
  ErrorQueue.clear()
  guard let file = unsafe BIO_new_file(path, "r") else {
    throw CertificateError(source: path, problem: .unreadable(ErrorQueue.takeSystemReason()))
  }
  defer { unsafe BIO_free(file) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 16_384)
  while true {
    let count = unsafe BIO_read(file, &chunk, Int32(chunk.count))
    if count < 0 { throw CertificateError(source: path, problem: .unreadable(ErrorQueue.takeSystemReason())) }
    if count == 0 { return bytes }
    bytes += chunk[..<Int(count)]
    if bytes.count > CertificateSource.maxFileBytes { throw CertificateError(source: path, problem: .tooLarge) }
  }
}

/// Such as `Nov  1 12:00:00 2026 GMT`.
private func date(_ moment: WallTime) -> String {
  guard let time = unsafe ASN1_TIME_set(nil, Int(moment.seconds)) else { return "\(moment.seconds)" }
  defer { unsafe ASN1_STRING_free(time) }
  guard let text = MemoryBIO(), unsafe ASN1_TIME_print(text.pointer, time) == 1 else { return "\(moment.seconds)" }
  return String(decoding: text.bytes, as: UTF8.self)
}
