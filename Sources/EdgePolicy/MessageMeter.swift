public import EdgeCore

/// One scope that a connection's messages are charged to. An object, which is not copied to be looked at for each message.
public final class MeteredScope: Sendable {
  let scope: LimitScope
  let limits: MessageLimits
  let state: SharedMeter

  /// Names a scope, what it allows, and the state that it shares with others of the scope.
  public init(_ scope: LimitScope, limits: MessageLimits, state: SharedMeter) {
    self.scope = scope
    self.limits = limits
    self.state = state
  }

  /// Whether it allows everything.
  public var isUnlimited: Bool { limits.isEmpty }
}

/// What a message meets.
public enum MessageVerdict: Hashable, Sendable {
  /// Every scope has room, and every scope was charged.
  case allowed
  /// It passes after `retryAfter`: its turn is reserved in every scope. Redeem it then, or cancel it.
  case delayed(LimitExcess)
  /// It is thrown away; nothing was charged.
  case dropped(LimitExcess)
  /// The connection is to be closed; nothing was charged.
  case closing(LimitExcess)
}

/// Holds the messages of one connection against every limit that it is under.
///
/// A message is charged once, at its first frame: to all scopes, or to none. What follows in fragments has the same verdict; its
/// bytes are charged as they come, on credit, so that the next message waits for them. A delayed message reserves its turn, so
/// connections that share a limit take turns instead of racing for what is left.
///
/// An object, used by one thread, so that a charge need not check who else uses it (`scripts/bench --parts checks`).
public final class MessageMeter {
  private var scopes: [MeteredScope]
  private var episode = ExcessEpisode()
  /// The payload bytes of a message that waits for its turn.
  private var reservedBytes: UInt64?

  /// Makes a meter; scopes without limits are left out.
  public init(scopes: [MeteredScope]) {
    self.scopes = scopes.filter { !$0.isUnlimited }
  }

  /// Whether nothing is limited.
  public var isEmpty: Bool { scopes.isEmpty }

  /// What a scope allows; nil where it limits nothing.
  public func limits(of scope: LimitScope) -> MessageLimits? {
    let scopes = scopes
    return scopes.first { $0.scope == scope }?.limits
  }

  /// Replaces what a scope allows that is the connection's own; nil ends it. Its state begins anew, that of others goes on.
  public func setLimits(_ limits: MessageLimits?, of scope: LimitScope) {
    cancelReservation()
    let others = scopes.filter { $0.scope != scope }
    let own = limits.map { MeteredScope(scope, limits: $0, state: SharedMeter()) }
    scopes = others + [own].compactMap { $0 }.filter { !$0.isUnlimited }
  }

  /// Charges a message whose first frame announces `payloadBytes`, if every scope has room; says only whether it did, which is
  /// all that most messages need.
  public func take(payloadBytes: UInt64, now: Instant) -> Bool {
    let scopes = scopes
    for index in scopes.indices where !scopes[index].take(payloadBytes, now: now) {
      for charged in scopes[..<index] { charged.refund(payloadBytes) }
      return false
    }
    return true
  }

  /// Replaces every scope but those that operators set for the connection alone. What the connection itself has used stays used; of other scopes, whoever
  /// shares them keeps book.
  public func adopt(_ scopes: [MeteredScope]) {
    cancelReservation()
    let used = self.scopes.first { $0.scope == .connection }?.state
    let own = self.scopes.filter { $0.scope == .rule || $0.scope == .throttle }
    let adopted = scopes.filter { !$0.isUnlimited }.map { scope in
      guard scope.scope == .connection, let used else { return scope }
      return MeteredScope(.connection, limits: scope.limits, state: used)
    }
    self.scopes = adopted + own
  }

  /// Charges a message whose first frame announces `payloadBytes`.
  public func charge(payloadBytes: UInt64, now: Instant) -> MessageVerdict {
    take(payloadBytes: payloadBytes, now: now) ? .allowed : judge(payloadBytes, now: now)
  }

  /// Charges the payload of a further fragment of a message that was allowed.
  public func chargeFragment(payloadBytes: UInt64, now: Instant) {
    for scope in scopes { scope.reserveBytes(payloadBytes, now: now) }
  }

  /// The reserved message passes now.
  public func redeemReservation() {
    reservedBytes = nil
  }

  /// The reserved message never passes: its connection ends.
  public func cancelReservation() {
    guard let bytes = reservedBytes else { return }
    reservedBytes = nil
    for scope in scopes { scope.refund(bytes) }
  }

  /// The strictest of the limits that have no room decides.
  private func judge(_ payloadBytes: UInt64, now: Instant) -> MessageVerdict {
    var strictest: (excess: LimitExcess, closeAfter: Duration?)?
    for scope in scopes {
      for found in scope.excesses(payloadBytes, now: now) {
        guard let known = strictest?.excess, found.excess.isMilder(than: known) else {
          strictest = found
          continue
        }
      }
    }
    // Another connection gave its charge back in between.
    guard let (excess, closeAfter) = strictest else { return charge(payloadBytes: payloadBytes, now: now) }
    let lasted = episode.note(retryAfter: excess.retryAfter, now: now)
    if let closeAfter, lasted >= closeAfter { return .closing(excess.escalated(to: .close)) }
    switch excess.action {
    case .close: return .closing(excess)
    case .drop: return .dropped(excess)
    case .delay: return .delayed(reserve(payloadBytes, excess, now: now))
    }
  }

  /// Takes the message's turn in every scope; the latest counts.
  private func reserve(_ payloadBytes: UInt64, _ excess: LimitExcess, now: Instant) -> LimitExcess {
    reservedBytes = payloadBytes
    var wait = Duration.zero
    for scope in scopes { wait = max(wait, scope.reserve(payloadBytes, now: now)) }
    return LimitExcess(scope: excess.scope, kind: excess.kind, action: excess.action, rate: excess.rate, retryAfter: wait)
  }
}

extension MeteredScope {
  /// Charges both limits, or neither.
  @inline(__always)
  fileprivate func take(_ payloadBytes: UInt64, now: Instant) -> Bool {
    if let limit = limits.messages, !state.messages.take(1, of: limit.rate, now: now) { return false }
    if let limit = limits.bytes, !state.bytes.take(payloadBytes, of: limit.rate, now: now) {
      if let limit = limits.messages { state.messages.refund(1, of: limit.rate) }
      return false
    }
    return true
  }

  fileprivate func refund(_ payloadBytes: UInt64) {
    if let limit = limits.messages { state.messages.refund(1, of: limit.rate) }
    if let limit = limits.bytes { state.bytes.refund(payloadBytes, of: limit.rate) }
  }

  fileprivate func reserve(_ payloadBytes: UInt64, now: Instant) -> Duration {
    max(limits.messages.map { state.messages.reserve(1, of: $0.rate, now: now) } ?? .zero, reserveBytes(payloadBytes, now: now))
  }

  @discardableResult
  fileprivate func reserveBytes(_ payloadBytes: UInt64, now: Instant) -> Duration {
    limits.bytes.map { state.bytes.reserve(payloadBytes, of: $0.rate, now: now) } ?? .zero
  }

  /// The limits of the scope that have no room for the message.
  fileprivate func excesses(_ payloadBytes: UInt64, now: Instant) -> [(excess: LimitExcess, closeAfter: Duration?)] {
    func excess(
      _ kind: LimitExcess.Kind, _ limit: MeteredLimit?, _ bucket: borrowing SharedBucket, cost: UInt64
    ) -> (excess: LimitExcess, closeAfter: Duration?)? {
      guard let limit, case .retryAfter(let wait) = bucket.verdict(on: cost, of: limit.rate, now: now) else { return nil }
      return (LimitExcess(scope: scope, kind: kind, action: limit.over, rate: limit.rate, retryAfter: wait), limit.closeAfter)
    }
    return [
      excess(.messages, limits.messages, state.messages, cost: 1),
      excess(.bytes, limits.bytes, state.bytes, cost: payloadBytes),
    ].compactMap { $0 }
  }
}

extension LimitExcess {
  fileprivate func isMilder(than other: LimitExcess) -> Bool {
    (action, retryAfter) < (other.action, other.retryAfter)
  }
}
