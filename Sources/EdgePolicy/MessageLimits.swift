/// What happens to a message beyond a limit, from the mildest to the strictest.
public enum LimitAction: Int, Hashable, Sendable, Comparable, CaseIterable {
  /// It waits for its turn: reading from the client stops, and TCP tells it.
  case delay
  /// It is thrown away.
  case drop
  /// The connection is closed.
  case close

  /// Whether `lhs` is milder than `rhs`.
  public static func < (lhs: LimitAction, rhs: LimitAction) -> Bool { lhs.rawValue < rhs.rawValue }

  /// Its word in metrics and notices.
  public var word: String {
    switch self {
    case .delay: "delay"
    case .drop: "drop"
    case .close: "close"
    }
  }
}

/// A rate, and what happens beyond it.
public struct MeteredLimit: Hashable, Sendable {
  /// How much may pass.
  public var rate: GCRA
  /// What happens to more.
  public var over: LimitAction
  /// Closes a connection that went on beyond the limit for so long; nil for never.
  public var closeAfter: Duration?

  /// Makes a limit.
  public init(rate: GCRA, over: LimitAction = .delay, closeAfter: Duration? = nil) {
    self.rate = rate
    self.over = over
    self.closeAfter = closeAfter
  }

  fileprivate func times(_ factor: Int) -> MeteredLimit {
    MeteredLimit(rate: rate.times(factor), over: over, closeAfter: closeAfter)
  }
}

/// The limits on the messages of one scope.
public struct MessageLimits: Hashable, Sendable {
  /// Messages by count; nil is no limit.
  public var messages: MeteredLimit?
  /// Messages by payload bytes; nil is no limit.
  public var bytes: MeteredLimit?

  /// Makes limits.
  public init(messages: MeteredLimit? = nil, bytes: MeteredLimit? = nil) {
    self.messages = messages
    self.bytes = bytes
  }

  /// Whether nothing is limited.
  public var isEmpty: Bool { messages == nil && bytes == nil }

  /// The limits of something that may do `factor` times as much.
  public func times(_ factor: Int) -> MessageLimits {
    MessageLimits(messages: messages?.times(factor), bytes: bytes?.times(factor))
  }
}

/// Whose limit it is.
public enum LimitScope: Int, Hashable, Sendable, CaseIterable {
  /// The connection's own, from its route.
  case connection
  /// All connections of an address, or of an IPv6 network.
  case ip
  /// All connections of a user.
  case user
  /// A throttle rule.
  case rule
  /// A throttle that an operator put on the one connection.
  case throttle
  /// The budget of control frames and fragments.
  case frames

  /// Its word in metrics.
  public var word: String {
    switch self {
    case .connection: "connection"
    case .ip: "ip"
    case .user: "user"
    case .rule: "rule"
    case .throttle: "throttle"
    case .frames: "frames"
    }
  }
}

/// That a limit was met, and what follows.
public struct LimitExcess: Hashable, Sendable {
  /// What there was too much of.
  public enum Kind: Int, Hashable, Sendable, CaseIterable {
    /// Messages.
    case messages
    /// Payload bytes.
    case bytes
    /// Control frames and fragments.
    case frames

    /// Its word in metrics and notices.
    public var word: String {
      switch self {
      case .messages: "message_rate"
      case .bytes: "byte_rate"
      case .frames: "frame_rate"
      }
    }
  }

  /// Whose limit it was.
  public let scope: LimitScope
  /// What there was too much of.
  public let kind: Kind
  /// What happens.
  public let action: LimitAction
  /// The limit.
  public let rate: GCRA
  /// When the same would pass: a delayed message passes then.
  public let retryAfter: Duration

  /// Makes a report.
  public init(scope: LimitScope, kind: Kind, action: LimitAction, rate: GCRA, retryAfter: Duration) {
    self.scope = scope
    self.kind = kind
    self.action = action
    self.rate = rate
    self.retryAfter = retryAfter
  }

  /// The same with another action.
  func escalated(to action: LimitAction) -> LimitExcess {
    LimitExcess(scope: scope, kind: kind, action: action, rate: rate, retryAfter: retryAfter)
  }
}
