import EdgeConfig
import EdgePolicy

/// What the messages of everybody's connections are charged to beyond the connection itself: the limits of addresses and users.
struct SharedMessageLimits {
  private let address: MessageLimits
  private let widerBlock: MessageLimits
  private let user: MessageLimits

  init(_ limits: Configuration.Limits) {
    address = MessageLimits(messages: limits.perIP.messages, bytes: limits.perIP.bytes)
    widerBlock = address.times(limits.perIP.ipv6Cap.factor)
    user = MessageLimits(messages: limits.perUser.messages, bytes: limits.perUser.bytes)
  }

  /// Whether nothing is limited.
  var isEmpty: Bool { address.isEmpty && user.isEmpty }

  /// The scope of a meter that a connection's address or user holds.
  func scope(of held: HeldMeter) -> MeteredScope {
    switch held.scope {
    case .address: MeteredScope(.ip, limits: address, state: held.meter)
    case .widerBlock: MeteredScope(.ip, limits: widerBlock, state: held.meter)
    case .user: MeteredScope(.user, limits: user, state: held.meter)
    }
  }
}

extension MessageLimits {
  init(messages: Configuration.MeteredLimit?, bytes: Configuration.MeteredLimit?) {
    self.init(messages: messages.flatMap { MeteredLimit($0) }, bytes: bytes.flatMap { MeteredLimit($0) })
  }
}

extension MeteredLimit {
  fileprivate init?(_ limit: Configuration.MeteredLimit) {
    guard let rate = GCRA(limit.rate, burst: limit.burst) else { return nil }
    let action: LimitAction =
      switch limit.over {
      case .delay: .delay
      case .drop: .drop
      case .close: .close
      }
    self.init(rate: rate, over: action, closeAfter: limit.closeAfter)
  }
}

extension GCRA {
  init?(_ bucket: Configuration.Bucket) {
    self.init(bucket.rate, burst: bucket.burst)
  }

  /// A rate of the configuration, whose numbers are positive.
  init?(_ rate: Configuration.Rate, burst: Int) {
    self.init(units: UInt64(rate.count), per: rate.per, burst: UInt64(burst))
  }
}
