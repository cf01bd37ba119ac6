public import EdgeCore

/// What a rule does, and to whom.
public enum RuleEffect: Hashable, Sendable {
  /// Closes connections and refuses new ones.
  case ban(RuleSubject)
  /// Limits what each connection may send.
  case throttle(RuleSubject, Throttle)
  /// Makes tokens invalid.
  case revoke(RevokedTokens)
}

extension RuleEffect {
  /// Whether it limits what a connection may send.
  public var isThrottle: Bool {
    switch self {
    case .throttle: true
    case .ban, .revoke: false
    }
  }

  /// The `auth` block that it is limited to, if it is.
  public var auth: String? {
    switch self {
    case .ban(.user(let name)), .throttle(.user(let name), _), .revoke(.ofUser(let name, _)), .revoke(.token(let name)): name.auth
    case .revoke(.ofAuth(let auth, _)): auth
    case .ban(.network), .throttle(.network, _): nil
    }
  }
}

/// Whom a ban or a throttle is about.
public enum RuleSubject: Hashable, Sendable {
  /// A verified user.
  case user(VouchedName)
  /// The addresses of a block.
  case network(CIDR)

  func includes(_ client: RuleClient) -> Bool {
    switch self {
    case .user(let name): client.user.map(name.includes) ?? false
    case .network(let block): client.address.map(block.contains) ?? false
    }
  }
}

/// Which tokens a revocation is about. One that does not say when it was issued counts as issued long ago.
public enum RevokedTokens: Hashable, Sendable {
  /// Those of a user that were issued before a time; nil is until the rule was made, so that who logs in again has a valid one.
  case ofUser(VouchedName, issuedBefore: WallTime?)
  /// The one with this `jti`.
  case token(VouchedName)
  /// Those that an `auth` block takes, or any does, and that were issued before a time.
  case ofAuth(String?, issuedBefore: WallTime)

  /// - Parameter revoked: when the rule was made.
  func include(_ client: RuleClient, revoked: WallTime) -> Bool {
    guard let user = client.user, let token = client.token else { return false }
    switch self {
    case .ofUser(let name, let time):
      guard name.includes(user) else { return false }
      return token.issuedAt.map { issued in time.map { issued < $0 } ?? (issued <= revoked) } ?? true
    case .token(let name):
      return token.id.map { name.includes(VouchedName($0, by: user.auth)) } ?? false
    case .ofAuth(let auth, let time):
      guard auth.map({ user.auth?.utf8.elementsEqual($0.utf8) ?? false }) ?? true else { return false }
      return token.issuedAt.map { $0 < time } ?? true
    }
  }
}

/// How fast each connection may talk; nil is as fast as it may otherwise.
public struct Throttle: Hashable, Sendable {
  /// Messages by count.
  public var messages: GCRA?
  /// Messages by payload bytes.
  public var bytes: GCRA?

  /// Makes a throttle.
  public init(messages: GCRA? = nil, bytes: GCRA? = nil) {
    self.messages = messages
    self.bytes = bytes
  }

  /// The same as limits of a connection: what comes too fast waits.
  public var limits: MessageLimits {
    MessageLimits(messages: messages.map { MeteredLimit(rate: $0) }, bytes: bytes.map { MeteredLimit(rate: $0) })
  }

  /// The stricter of both, for messages and for bytes.
  func combined(with other: Throttle) -> Throttle {
    Throttle(messages: strictest(messages, other.messages), bytes: strictest(bytes, other.bytes))
  }
}

/// What makes two rules the same one: that they do the same to the same, whenever and however long.
struct RuleIdentity: Hashable {
  private let effect: RuleEffect
  private let isSeed: Bool

  init(_ rule: Rule) {
    let isSeed = if case .seed = rule.id { true } else { false }
    self.init(rule.effect, isSeed: isSeed)
  }

  init(_ effect: RuleEffect, isSeed: Bool) {
    self.isSeed = isSeed
    switch effect {
    case .ban, .throttle, .revoke(.token): self.effect = effect
    case .revoke(.ofUser(let name, _)): self.effect = .revoke(.ofUser(name, issuedBefore: nil))
    case .revoke(.ofAuth(let auth, _)): self.effect = .revoke(.ofAuth(auth, issuedBefore: WallTime(nanoseconds: 0)))
    }
  }
}

extension RuleEffect {
  /// The same with times in whole milliseconds, as they are written down; a revocation never means less for it.
  var inMilliseconds: RuleEffect {
    switch self {
    case .ban, .throttle, .revoke(.token): self
    case .revoke(.ofUser(let name, let time)): .revoke(.ofUser(name, issuedBefore: time?.roundedUpToMilliseconds))
    case .revoke(.ofAuth(let auth, let time)): .revoke(.ofAuth(auth, issuedBefore: time.roundedUpToMilliseconds))
    }
  }

  /// This, of a rule made at `created`, and what an earlier rule does that is the same one: of revocations, the one that means more
  /// tokens.
  func including(_ earlier: Rule, of created: WallTime) -> RuleEffect {
    switch (self, earlier.effect) {
    case (.revoke(.ofUser(let name, let time)), .revoke(.ofUser(_, let earlierTime))):
      let until = (time ?? created.nextMillisecond, earlierTime ?? earlier.created.nextMillisecond)
      return until.0 >= until.1 ? self : .revoke(.ofUser(name, issuedBefore: until.1))
    case (.revoke(.ofAuth(let auth, let time)), .revoke(.ofAuth(_, let earlierTime))):
      return .revoke(.ofAuth(auth, issuedBefore: max(time, earlierTime)))
    case (.ban, _), (.throttle, _), (.revoke, _): return self
    }
  }

  /// A hash that is the same in every process (FNV-1a of the rule's text).
  var seedHash: UInt64 {
    JSON.object(json).encoded().reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}

extension WallTime {
  /// Times as rules write them down.
  var roundedUpToMilliseconds: WallTime {
    let rest = nanoseconds % millisecond
    return rest == 0 ? self : adding(.nanoseconds(rest < 0 ? -rest : millisecond - rest))
  }

  /// The first moment that is later when written down.
  fileprivate var nextMillisecond: WallTime { adding(.nanoseconds(millisecond)) }
}

/// The limit with the lower rate; of equal rates, the one with the smaller burst.
private func strictest(_ first: GCRA?, _ second: GCRA?) -> GCRA? {
  guard let first, let second else { return first ?? second }
  let (left, right) = (
    first.units.multipliedFullWidth(by: second.periodNanoseconds), second.units.multipliedFullWidth(by: first.periodNanoseconds)
  )
  guard left == right else { return left < right ? first : second }
  return first.burst <= second.burst ? first : second
}

private let millisecond: Int64 = 1_000_000
