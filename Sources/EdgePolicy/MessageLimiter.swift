public import EdgeCore

/// The limits on messages of each connection of a route; shared by all of them.
public struct MessageLimits: Hashable, Sendable {
  /// Messages by count; nil is no limit.
  public var messages: GCRA?
  /// Messages by payload bytes; nil is no limit.
  public var bytes: GCRA?

  /// Makes limits.
  public init(messages: GCRA? = nil, bytes: GCRA? = nil) {
    self.messages = messages
    self.bytes = bytes
  }
}

/// What one connection has used of its message limits: two words.
public struct MessageLimiter: Sendable {
  /// Which limit a message met.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// Too many messages.
    case messages
    /// Too many bytes.
    case bytes
  }

  /// What a message meets.
  public enum Verdict: Hashable, Sendable {
    /// Both limits have room, and both were charged.
    case allowed
    /// One has none, and neither was charged; the message fits after so long.
    case over(Kind, retryAfter: Duration)
  }

  private var messageWord: UInt64 = 0
  private var byteWord: UInt64 = 0

  /// Makes the state of a new connection: both buckets are full.
  public init() {}

  /// Charges one message of `payloadBytes`.
  ///
  /// Where both limits are met, the verdict is the one that lasts longer.
  public mutating func charge(payloadBytes: UInt64, limits: MessageLimits, now: Instant) -> Verdict {
    let (newMessageWord, byCount) = limits.messages?.charge(messageWord, cost: 1, now: now) ?? (messageWord, .allowed)
    let (newByteWord, byBytes) = limits.bytes?.charge(byteWord, cost: payloadBytes, now: now) ?? (byteWord, .allowed)
    switch (byCount, byBytes) {
    case (.allowed, .allowed):
      messageWord = newMessageWord
      byteWord = newByteWord
      return .allowed
    case (.retryAfter(let wait), .allowed): return .over(.messages, retryAfter: wait)
    case (.allowed, .retryAfter(let wait)): return .over(.bytes, retryAfter: wait)
    case (.retryAfter(let messageWait), .retryAfter(let byteWait)):
      return messageWait >= byteWait ? .over(.messages, retryAfter: messageWait) : .over(.bytes, retryAfter: byteWait)
    }
  }
}
