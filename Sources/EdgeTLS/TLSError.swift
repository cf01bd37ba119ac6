import COpenSSL

/// Why a TLS session ended. Each case has one word for metrics and logs.
public enum TLSError: Error, Equatable, Sendable {
  /// The peer speaks plain HTTP to a TLS port.
  case plainHTTP
  /// The first bytes are no TLS record.
  case notTLS
  /// No TLS version is common to both sides.
  case version
  /// No cipher suite, group or signature algorithm is common to both sides.
  case noCommonCipher
  /// The peer offered application protocols, but none of ours (RFC 7301 §3.2).
  case noApplicationProtocol
  /// The peer sent more handshake bytes than `TLSSession.maxHandshakeBytes`.
  case handshakeTooLarge
  /// The peer's certificate is missing, or does not verify.
  case untrusted(CertificateFlaw)
  /// Certificates of ours cannot be read or made.
  case certificate
  /// A record's authentication failed: the bytes were changed on the way, or the keys differ.
  case badRecord
  /// The peer sent a fatal alert; the number is of RFC 8446 §6.
  case alert(UInt8)
  /// The peer broke the protocol; the number is OpenSSL's reason, for the log.
  case protocolViolation(reason: Int)
  /// The byte stream ended without a close_notify.
  case truncated
  /// OpenSSL has no memory, or no randomness: the edge's fault.
  case resources

  /// A word for metric labels and logs.
  public var word: String {
    switch self {
    case .plainHTTP: "plain_http"
    case .notTLS: "not_tls"
    case .version: "version"
    case .noCommonCipher: "no_common_cipher"
    case .noApplicationProtocol: "no_application_protocol"
    case .handshakeTooLarge: "handshake_too_large"
    case .untrusted(let flaw): flaw.rawValue
    case .certificate: "certificate"
    case .badRecord: "bad_record"
    case .alert: "alert"
    case .protocolViolation: "protocol_violation"
    case .truncated: "truncated"
    case .resources: "resources"
    }
  }

  /// Reads OpenSSL's reason for a failed call off the thread's error queue, and empties it.
  ///
  /// - Parameter verifyResult: what OpenSSL found out about the peer's certificate.
  static func fromQueue(verifyResult: Int = Int(X509_V_ERR_UNSPECIFIED)) -> TLSError {
    let reason = ErrorQueue.takeProtocolReason()
    switch reason {
    case mallocFailure: return .resources
    case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST: return .plainHTTP
    case SSL_R_WRONG_VERSION_NUMBER, SSL_R_BAD_RECORD_TYPE, SSL_R_RECORD_LENGTH_MISMATCH, SSL_R_RECORD_TOO_SMALL:
      return .notTLS
    case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_VERSION_TOO_HIGH, SSL_R_INAPPROPRIATE_FALLBACK,
      SSL_R_NO_PROTOCOLS_AVAILABLE, SSL_R_WRONG_SSL_VERSION:
      return .version
    case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SUITABLE_KEY_SHARE, SSL_R_NO_SHARED_GROUPS, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM,
      SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, SSL_R_NO_SUITABLE_GROUPS:
      return .noCommonCipher
    case SSL_R_NO_APPLICATION_PROTOCOL: return .noApplicationProtocol
    case SSL_R_CERTIFICATE_VERIFY_FAILED: return .untrusted(CertificateFlaw(verifyResult: verifyResult))
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return .untrusted(.missing)
    case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, SSL_R_DECRYPTION_FAILED: return .badRecord
    case SSL_R_UNEXPECTED_EOF_WHILE_READING: return .truncated
    case alertReasons: return .alert(UInt8(truncatingIfNeeded: reason - SSL_AD_REASON_OFFSET))
    default: return .protocolViolation(reason: Int(reason))
    }
  }
}

/// The thread's queue of OpenSSL errors: empty before a call whose failure is asked about, read after it.
///
/// Asking costs 230 instructions even when it is empty, so that a session's reads and writes leave it out: whatever else runs on
/// the thread empties the queue when it is done.
enum ErrorQueue {
  /// Empties the queue. Costs next to nothing when it is empty.
  static func clear() {
    if ERR_peek_error() != 0 { ERR_clear_error() }
  }

  /// The reason of the oldest error that libssl itself reported, else of the oldest one, or 0; empties the queue.
  static func takeProtocolReason() -> Int32 {
    let first = ERR_get_error()
    var code = first
    while code != 0 && sluice_error_library(code) != ERR_LIB_SSL { code = ERR_get_error() }
    ERR_clear_error()
    return sluice_error_reason(code == 0 ? first : code)
  }

  /// The system's words for why a file failed, such as `No such file or directory`; empties the queue.
  static func takeSystemReason() -> String {
    let code = ERR_peek_error()
    ERR_clear_error()
    var text = [CChar](repeating: 0, count: 256)
    unsafe ERR_error_string_n(code, &text, text.count)
    let words = text.prefix { $0 != 0 }.split(separator: CChar(bitPattern: UInt8(ascii: ":")))
    return String(decoding: (words.last ?? []).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// OpenSSL's words for the newest error, such as `no start line`; empties the queue.
  static func takeReason() -> String {
    let code = ERR_peek_last_error()
    ERR_clear_error()
    guard code != 0, let text = unsafe ERR_reason_error_string(code) else { return "unknown error" }
    return unsafe String(cString: text)
  }
}

/// Reasons that stand for an alert of the peer: its number on top of the offset.
private let alertReasons = SSL_AD_REASON_OFFSET...SSL_AD_REASON_OFFSET + 255
private let mallocFailure = Int32(ERR_R_MALLOC_FAILURE)
