public import EdgeCore

/// The bans, throttles and revocations that are in force, and who they hold for.
///
/// Bounded: beyond `capacity` rules none is taken in, expired ones make room first. A lookup costs a few hashes and a walk down
/// an `AddressTree`. A value without a lock: whoever shares it guards it.
public struct RuleTable: Sendable {
  /// What becomes of a rule that is added.
  public struct Addition: Sendable {
    /// The rule as it is in force now.
    public let rule: Rule
    /// Whether it was not there before.
    public let isNew: Bool
  }

  /// The most rules that a table holds if nobody says.
  public static let maxRules = 100_000

  private let capacity: Int
  private var rules: [RuleID: Rule] = [:]
  private var ids: [RuleIdentity: RuleID] = [:]
  private var bans = SubjectIndex()
  private var throttles = SubjectIndex()
  private var revokedUsers: [VouchedName: [RuleID]] = [:]
  private var revokedTokens: [VouchedName: [RuleID]] = [:]
  private var revokedAuths: [RuleID] = []
  /// What had expired and made room for others, until a sweep tells of it.
  private var displaced: [Rule] = []
  /// No rule expires before.
  private var firstExpiry = WallTime(nanoseconds: .max)
  /// The number of the rule that is made next.
  public private(set) var nextNumber: UInt64 = 1

  /// Makes an empty table.
  public init(capacity: Int = maxRules) {
    self.capacity = capacity
  }

  /// How many rules there are, expired ones included that no sweep has met.
  public var count: Int { rules.count }

  /// All rules in no order, expired ones included that no sweep has met.
  public var all: some Collection<Rule> { rules.values }

  /// The rule of this name, if it is in force.
  public func rule(_ id: RuleID, now: WallTime) -> Rule? {
    rules[id].flatMap { $0.isActive(at: now) ? $0 : nil }
  }

  // MARK: Changes

  /// Puts a rule in force.
  ///
  /// A rule that is there already is not there twice: it keeps its name, gets the reason and author of the new one, and the later
  /// end of both. Rules of the configuration and others are told apart.
  ///
  /// - Parameter isSeed: whether the configuration says so.
  /// - Throws: `RuleTableError.full`; nothing has changed then.
  public mutating func add(
    _ effect: RuleEffect, for ttl: Duration?, reason: RuleReason? = nil, author: String, isSeed: Bool = false, now: WallTime
  ) throws(RuleTableError) -> Addition {
    let created = now.roundedUpToMilliseconds
    let effect = effect.inMilliseconds
    let expires = ttl.map { created.adding($0).roundedUpToMilliseconds }
    if let id = ids[RuleIdentity(effect, isSeed: isSeed)], let known = rule(id, now: now) {
      var changed = known
      changed.created = created
      changed.effect = effect.including(known, of: created)
      changed.expires = known.expires.flatMap { known in expires.map { max(known, $0) } }
      changed.reason = reason ?? known.reason
      changed.author = author
      rules[id] = changed
      noteExpiry(of: changed)
      return Addition(rule: changed, isNew: false)
    }
    let id = isSeed ? RuleID.seed(effect.seedHash) : .made(nextNumber)
    let rule = Rule(id: id, effect: effect, created: created, expires: expires, reason: reason, author: author)
    try insert(rule, now: now)
    if !isSeed { nextNumber += 1 }
    return Addition(rule: rule, isNew: true)
  }

  /// Takes rules back in that were kept, and goes on numbering where whoever kept them stopped.
  ///
  /// - Returns: how many had expired, and were left out.
  /// - Throws: `RuleTableError` if they do not fit, or not together.
  public mutating func restore(_ kept: [Rule], nextNumber: UInt64, now: WallTime) throws(RuleTableError) -> Int {
    var expired = 0
    for rule in kept {
      guard rule.isActive(at: now) else {
        expired += 1
        continue
      }
      guard rules[rule.id] == nil, ids[RuleIdentity(rule)] == nil else { throw .repeated(rule.id) }
      try insert(rule, now: now)
      if case .made(let number) = rule.id { self.nextNumber = max(self.nextNumber, number + 1) }
    }
    self.nextNumber = max(self.nextNumber, nextNumber)
    return expired
  }

  /// Takes a rule out of force; gives it back if it was there.
  public mutating func remove(_ id: RuleID) -> Rule? {
    guard let rule = rules.removeValue(forKey: id) else { return nil }
    ids[RuleIdentity(rule)] = nil
    unindex(rule)
    return rule
  }

  /// Takes a rule of the configuration out of force; gives it back if it was there.
  public mutating func removeSeed(_ effect: RuleEffect) -> Rule? {
    ids[RuleIdentity(effect.inMilliseconds, isSeed: true)].flatMap { remove($0) }
  }

  /// Removes what has expired, and gives back all that has since the last time. Costs nothing as long as nothing has.
  public mutating func sweep(now: WallTime) -> [Rule] {
    defer { displaced = [] }
    return displaced + removeExpired(now: now)
  }

  private mutating func removeExpired(now: WallTime) -> [Rule] {
    guard firstExpiry <= now else { return [] }
    let expired = rules.values.filter { !$0.isActive(at: now) }
    for rule in expired { _ = remove(rule.id) }
    firstExpiry = rules.values.lazy.compactMap(\.expires).min() ?? WallTime(nanoseconds: .max)
    return expired
  }

  private mutating func insert(_ rule: Rule, now: WallTime) throws(RuleTableError) {
    if rules.count >= capacity { displaced += removeExpired(now: now) }
    // One that does the same has expired, or nobody would insert it.
    for old in [ids[RuleIdentity(rule)], rule.id].compactMap({ $0 }) { _ = remove(old) }
    guard rules.count < capacity else { throw .full(capacity: capacity) }
    rules[rule.id] = rule
    ids[RuleIdentity(rule)] = rule.id
    index(rule)
    noteExpiry(of: rule)
  }

  private mutating func noteExpiry(of rule: Rule) {
    if let end = rule.expires { firstExpiry = min(firstExpiry, end) }
  }

  private mutating func index(_ rule: Rule) {
    switch rule.effect {
    case .ban(let subject): bans.insert(rule.id, subject)
    case .throttle(let subject, _): throttles.insert(rule.id, subject)
    case .revoke(.ofUser(let name, _)): revokedUsers[name, default: []].append(rule.id)
    case .revoke(.token(let name)): revokedTokens[name, default: []].append(rule.id)
    case .revoke(.ofAuth): revokedAuths.append(rule.id)
    }
  }

  private mutating func unindex(_ rule: Rule) {
    switch rule.effect {
    case .ban(let subject): bans.remove(rule.id, subject)
    case .throttle(let subject, _): throttles.remove(rule.id, subject)
    case .revoke(.ofUser(let name, _)): revokedUsers.remove(rule.id, name)
    case .revoke(.token(let name)): revokedTokens.remove(rule.id, name)
    case .revoke(.ofAuth): revokedAuths.removeAll { $0 == rule.id }
    }
  }

  // MARK: Questions

  /// The ban that keeps a client out the longest, if one does; its token does not matter.
  public func ban(of client: RuleClient, now: WallTime) -> Rule? {
    var longest: Rule?
    bans.forEachRule(about: client) { id in
      guard let rule = rule(id, now: now) else { return }
      if longest.map(rule.outlasts) ?? true { longest = rule }
    }
    return longest
  }

  /// How fast a client may talk, by the strictest of all throttles, for messages and for bytes; nil if there is none.
  public func throttle(of client: RuleClient, now: WallTime) -> Throttle? {
    var strictest: Throttle?
    throttles.forEachRule(about: client) { id in
      guard let rule = rule(id, now: now), case .throttle(_, let throttle) = rule.effect else { return }
      strictest = strictest?.combined(with: throttle) ?? throttle
    }
    return strictest
  }

  /// A revocation that makes a client's token invalid, if there is one.
  public func revocation(of client: RuleClient, now: WallTime) -> Rule? {
    guard let user = client.user, let token = client.token else { return nil }
    var candidates = revokedAuths
    for name in [user, user.byAny] { candidates += revokedUsers[name] ?? [] }
    if let id = token.id {
      for name in [VouchedName(id, by: user.auth), VouchedName(id, by: nil)] { candidates += revokedTokens[name] ?? [] }
    }
    return candidates.lazy.compactMap { rule($0, now: now) }.first { $0.concerns(client) }
  }
}

/// Why a table does not take a rule.
public enum RuleTableError: Error, Hashable, Sendable, CustomStringConvertible {
  /// It is full, and nothing in it has expired.
  case full(capacity: Int)
  /// One of this name, or that does the same, is there already.
  case repeated(RuleID)

  /// One line for an operator.
  public var description: String {
    switch self {
    case .full(let capacity): "there are \(capacity) rules already, and none of them has expired"
    case .repeated(let id): "the rule \(id) is there twice, or does what another does"
    }
  }
}

/// Rules by whom they are about.
private struct SubjectIndex: Sendable {
  private var users: [VouchedName: [RuleID]] = [:]
  private var networks = AddressTree<RuleID>()

  mutating func insert(_ id: RuleID, _ subject: RuleSubject) {
    switch subject {
    case .user(let name): users[name, default: []].append(id)
    case .network(let block): networks.insert(id, at: block)
    }
  }

  mutating func remove(_ id: RuleID, _ subject: RuleSubject) {
    switch subject {
    case .user(let name): users.remove(id, name)
    case .network(let block): networks.remove(id, at: block)
    }
  }

  func forEachRule(about client: RuleClient, _ body: (RuleID) -> Void) {
    if let address = client.address { networks.forEachBlock(containing: address) { $0.forEach(body) } }
    if let user = client.user {
      users[user]?.forEach(body)
      if user.auth != nil { users[user.byAny]?.forEach(body) }
    }
  }
}

extension [VouchedName: [RuleID]] {
  fileprivate mutating func remove(_ id: RuleID, _ name: VouchedName) {
    self[name]?.removeAll { $0 == id }
    if self[name]?.isEmpty == true { self[name] = nil }
  }
}
