public import EdgeWebSocket

/// What bounds a relay. Sizes in bytes.
public struct RelayLimits: Sendable {
  /// The largest message of either side, over all its fragments.
  public var maxMessageBytes: Int
  /// Whether the text of messages must be UTF-8 (RFC 6455 §8.1).
  public var checksUTF8: Bool
  /// How long a client may be silent before the edge pings it.
  public var pingInterval: Duration
  /// How long a pinged client may stay silent before it is closed: with 4408.
  public var pingTimeout: Duration
  /// How long no message, nor part of one, may pass before the connection is closed: with 1001.
  public var idleTimeout: Duration
  /// How long a closing handshake may take.
  public var closeTimeout: Duration
  /// Whether a client may renew its token by a message (`TokenMessage`).
  public var takesTokens: Bool
  /// Whether clients are told of throttling and of their token's end, by messages between the worker's own.
  public var givesNotice: Bool
  /// What the client is told.
  public var closeCodes: RelayCloseCodes

  /// Makes a set of limits.
  public init(
    maxMessageBytes: Int, checksUTF8: Bool, pingInterval: Duration, pingTimeout: Duration, idleTimeout: Duration,
    closeTimeout: Duration, takesTokens: Bool = false, givesNotice: Bool = false,
    closeCodes: RelayCloseCodes = RelayCloseCodes()
  ) {
    self.maxMessageBytes = maxMessageBytes
    self.checksUTF8 = checksUTF8
    self.pingInterval = pingInterval
    self.pingTimeout = pingTimeout
    self.idleTimeout = idleTimeout
    self.closeTimeout = closeTimeout
    self.takesTokens = takesTokens
    self.givesNotice = givesNotice
    self.closeCodes = closeCodes
  }
}

/// The codes of the Close frames to the client that a relay decides on itself.
public struct RelayCloseCodes: Sendable {
  /// No message passed for `RelayLimits.idleTimeout`.
  public var idle: CloseCode
  /// No answer to a ping came in `RelayLimits.pingTimeout`.
  public var timeout: CloseCode
  /// The worker died or broke the protocol.
  public var workerLost: CloseCode
  /// The token has expired.
  public var auth: CloseCode
  /// Messages came beyond a limit.
  public var rate: CloseCode
  /// Frames that are no messages came beyond their budget.
  public var policy: CloseCode

  /// Makes a set of codes.
  public init(
    idle: CloseCode = .goingAway, timeout: CloseCode = .timeout, workerLost: CloseCode = .badGateway,
    auth: CloseCode = .unauthorized, rate: CloseCode = .tooManyRequests, policy: CloseCode = .policyViolation
  ) {
    self.idle = idle
    self.timeout = timeout
    self.workerLost = workerLost
    self.auth = auth
    self.rate = rate
    self.policy = policy
  }
}
