/// Why a WebSocket ends: the number in a Close frame (RFC 6455 §7.4).
public struct CloseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The number as it stands on the wire.
  public let rawValue: UInt16

  /// Takes any number; `isValidOnWire` tells whether a frame may carry it.
  @inlinable
  public init(rawValue: UInt16) {
    self.rawValue = rawValue
  }

  /// Whether a Close frame may carry this code: 1000–1003, 1007–1014, 3000–4999.
  ///
  /// The gaps are codes that only an API may report (1005, 1006, 1015), and numbers nobody assigned (RFC 6455 §7.4.2).
  public var isValidOnWire: Bool {
    switch rawValue {
    case 1000...1003, 1007...1014, 3000...4999: true
    default: false
    }
  }

  /// The number in decimal.
  public var description: String { String(rawValue) }
}

extension CloseCode {
  /// 1000: the purpose is fulfilled.
  public static let normal = CloseCode(rawValue: 1000)
  /// 1001: the peer goes away; from the edge to a client: idle too long, or to a worker: the edge ended the connection.
  public static let goingAway = CloseCode(rawValue: 1001)
  /// 1002: the peer broke the framing rules.
  public static let protocolError = CloseCode(rawValue: 1002)
  /// 1003: a kind of data that the receiver does not take.
  public static let unsupportedData = CloseCode(rawValue: 1003)
  /// 1005: the Close frame bore no code. Never on the wire.
  public static let noStatus = CloseCode(rawValue: 1005)
  /// 1006: the connection ended without a Close frame. Never on the wire.
  public static let abnormal = CloseCode(rawValue: 1006)
  /// 1007: text that is not UTF-8.
  public static let invalidPayload = CloseCode(rawValue: 1007)
  /// 1008: against a policy that has no code of its own.
  public static let policyViolation = CloseCode(rawValue: 1008)
  /// 1009: a message beyond the size limit.
  public static let messageTooBig = CloseCode(rawValue: 1009)
  /// 1010: the client missed an extension.
  public static let mandatoryExtension = CloseCode(rawValue: 1010)
  /// 1011: a fault on the edge's side.
  public static let internalError = CloseCode(rawValue: 1011)
  /// 1012: the service restarts or drains; come back.
  public static let serviceRestart = CloseCode(rawValue: 1012)
  /// 1013: overloaded, or this peer makes no progress; come back later.
  public static let tryAgainLater = CloseCode(rawValue: 1013)
  /// 1014: the worker is lost or broke the protocol.
  public static let badGateway = CloseCode(rawValue: 1014)
  /// 1015: the TLS handshake failed. Never on the wire.
  public static let tlsHandshake = CloseCode(rawValue: 1015)
  /// 4401: the token is missing, invalid or has expired.
  public static let unauthorized = CloseCode(rawValue: 4401)
  /// 4403: kicked or banned.
  public static let forbidden = CloseCode(rawValue: 4403)
  /// 4408: no pong, or no first message, in time.
  public static let timeout = CloseCode(rawValue: 4408)
  /// 4409: replaced by a newer session of the same user.
  public static let replaced = CloseCode(rawValue: 4409)
  /// 4429: beyond a rate or connection limit.
  public static let tooManyRequests = CloseCode(rawValue: 4429)
}
