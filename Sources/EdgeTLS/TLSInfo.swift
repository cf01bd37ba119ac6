/// What a handshake agreed on: for logs, metrics and the choice of protocol.
public struct TLSInfo: Sendable, Equatable {
  /// The protocol version.
  public let version: TLSVersion
  /// The cipher suite.
  public let cipher: CipherSuite
  /// The application protocol (RFC 7301), such as `http/1.1`, if one was agreed on.
  public let applicationProtocol: String?
  /// Whether keys came from an earlier session.
  public let isResumed: Bool
}

/// A version of TLS that the edge speaks, oldest first.
public enum TLSVersion: String, Sendable, CaseIterable, Comparable {
  /// RFC 5246.
  case tls12 = "TLSv1.2"
  /// RFC 8446.
  case tls13 = "TLSv1.3"

  /// How logs and the admin plane write it: `1.2` or `1.3`.
  public var shortName: String {
    switch self {
    case .tls12: "1.2"
    case .tls13: "1.3"
    }
  }

  /// Whether `lhs` is older.
  public static func < (lhs: TLSVersion, rhs: TLSVersion) -> Bool {
    lhs == .tls12 && rhs == .tls13
  }
}

/// A cipher suite by its two bytes on the wire.
public struct CipherSuite: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The number in IANA's registry.
  public let rawValue: UInt16

  /// Makes the suite of that number.
  public init(rawValue: UInt16) {
    self.rawValue = rawValue
  }

  /// The name in IANA's registry for the suites the edge offers, else the number in hexadecimal.
  public var description: String {
    switch rawValue {
    case 0x1301: "TLS_AES_128_GCM_SHA256"
    case 0x1302: "TLS_AES_256_GCM_SHA384"
    case 0x1303: "TLS_CHACHA20_POLY1305_SHA256"
    case 0xc02b: "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
    case 0xc02c: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    case 0xc02f: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    case 0xc030: "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"
    case 0xcca8: "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"
    case 0xcca9: "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
    default: "0x" + String(rawValue, radix: 16)
    }
  }
}
