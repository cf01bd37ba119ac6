import EdgeAuth
import EdgeConfig
import EdgeCore
import EdgeIO
import EdgePolicy
import EdgeTelemetry
import Synchronization

/// The bans, throttles and revocations in force, for all reactors and the admin plane.
///
/// Those that the admin plane made are kept in the state directory. The lock is taken when a connection or a request comes, never
/// for a message, and as long as there are no rules not at all.
final class RuleStore: Sendable {
  private let table: Guarded<RuleTable>
  private let hasRules: Atomic<Bool>
  /// Nil where the state directory cannot be written.
  private let saver: RuleSaver?
  private let log: EdgeLog

  /// Reads the rules that were kept, and adds the configuration's.
  ///
  /// - Throws: `StartError.configuration` when there is a file that cannot be read: to start without its bans would be worse.
  init(_ configuration: Configuration, log: EdgeLog) throws(StartError) {
    let now = WallClock.now()
    let path = "\(configuration.stateDirectory)/rules.json"
    var table = RuleTable()
    let saver = try Self.saver(in: configuration.stateDirectory, path: path, log: log)
    let expired = try Self.restore(path, into: &table, now: now)
    do throws(RuleTableError) {
      for rule in configuration.rules {
        _ = try table.add(rule.effect, for: rule.ttl, author: "configuration", isSeed: true, now: now)
      }
    } catch {
      throw .configuration("rules: \(error), those of \(path) included")
    }
    if table.count > 0 || expired > 0 {
      let count = table.count
      log.write(.info, "rules.loaded", "Rules are in force from the start.") { line in
        line.add(.rules, count)
        line.add(.rulesExpired, expired)
      }
    }
    hasRules = Atomic(table.count > 0)
    self.table = Guarded(table)
    self.saver = saver
    self.log = log
  }

  // MARK: Questions

  /// The ban that keeps an address out, if there is one.
  func ban(of address: IPAddress?) -> Rule? {
    guard let address else { return nil }
    return ask { $0.ban(of: RuleClient(address: address), now: $1) }
  }

  /// What keeps a verified user out: first whether the token counts at all.
  func refusal(of user: UserID, token: TokenLife) -> Rule? {
    let client = RuleClient(address: nil, user: user, token: token)
    return ask { $0.revocation(of: client, now: $1) ?? $0.ban(of: client, now: $1) }
  }

  /// How fast a client may talk, as far as rules say anything of it.
  func limits(of client: RuleClient) -> MessageLimits? {
    ask { $0.throttle(of: client, now: $1)?.limits }
  }

  /// All rules in force.
  func all() -> [Rule] {
    guard hasRules.load(ordering: .acquiring) else { return [] }
    let now = WallClock.now()
    let table = table.withLock { $0 }
    return table.all.filter { $0.isActive(at: now) }
  }

  /// The rule of this name.
  func rule(_ id: RuleID) -> Rule? {
    ask { $0.rule(id, now: $1) }
  }

  private func ask<Answer: Sendable>(_ question: @Sendable (RuleTable, WallTime) -> Answer?) -> Answer? {
    guard hasRules.load(ordering: .acquiring) else { return nil }
    let now = WallClock.now()
    return table.withLock { question($0, now) }
  }

  // MARK: Changes

  /// Puts a rule in force for whoever comes from now on.
  func add(_ effect: RuleEffect, for ttl: Duration?, reason: RuleReason?, author: String) throws(RuleTableError)
    -> RuleTable.Addition
  {
    let now = WallClock.now()
    let addition = try table.withLock { table throws(RuleTableError) in
      let addition = try table.add(effect, for: ttl, reason: reason, author: author, now: now)
      hasRules.store(true, ordering: .releasing)
      return addition
    }
    log.write(.info, "rule.added", "A rule is in force.") { $0.describe(addition.rule) }
    return addition
  }

  /// Goes by the rules of another configuration; the time of those that were there already goes on.
  ///
  /// - Throws: `RuleTableError.full`; nothing has changed then.
  func replaceSeeds(
    _ old: [Configuration.Rule], with new: [Configuration.Rule]
  ) throws(RuleTableError) -> (removed: [Rule], added: [Rule]) {
    guard old != new else { return ([], []) }
    let now = WallClock.now()
    return try table.withLock { table throws(RuleTableError) in
      var replaced = table
      let changed = try replaced.replaceSeeds(old, with: new, now: now)
      table = replaced
      hasRules.store(table.count > 0, ordering: .releasing)
      return changed
    }
  }

  /// Whether the rules of another configuration have room.
  ///
  /// - Throws: `RuleTableError.full`.
  func checkSeeds(_ old: [Configuration.Rule], replacedBy new: [Configuration.Rule]) throws(RuleTableError) {
    guard old != new else { return }
    var copy = table.withLock { $0 }
    _ = try copy.replaceSeeds(old, with: new, now: WallClock.now())
  }

  /// Takes a rule out of force; gives it back if there was one.
  func remove(_ id: RuleID) -> Rule? {
    let removed = table.withLock { table in
      let removed = table.remove(id)
      hasRules.store(table.count > 0, ordering: .releasing)
      return removed
    }
    if let removed { log.write(.info, "rule.removed", "A rule is in force no more.") { $0.describe(removed) } }
    return removed
  }

  /// Removes what has expired, and gives it back. Call it once a second.
  func sweep() -> [Rule] {
    guard hasRules.load(ordering: .acquiring) else { return [] }
    let now = WallClock.now()
    let expired = table.withLock { table in
      let expired = table.sweep(now: now)
      hasRules.store(table.count > 0, ordering: .releasing)
      return expired
    }
    if !expired.isEmpty {
      log.write(.info, "rule.expired", "The time of rules is over.") { $0.add(.rulesExpired, expired.count) }
    }
    return expired
  }

  /// Waits until the state directory has what is in force; false where it cannot be written. Not for a reactor.
  func save() -> Bool {
    saver?.save { [self] in table.withLock { $0 } } ?? false
  }

  /// Writes what waits, and ends the thread that writes.
  func finish() {
    saver?.finish()
  }

  // MARK: Start

  private static func saver(in directory: String, path: String, log: EdgeLog) throws(StartError) -> RuleSaver? {
    do throws(SystemError) {
      try FileSystem.makePrivateDirectory(directory)
      try FileSystem.requireWritableDirectory(directory)
    } catch {
      log.writeStateUnwritable(path, error)
      return nil
    }
    do throws(SystemError) {
      return try RuleSaver(path: path, log: log)
    } catch {
      throw .system("\(error)")
    }
  }

  /// - Returns: how many rules had expired.
  private static func restore(_ path: String, into table: inout RuleTable, now: WallTime) throws(StartError) -> Int {
    let content: [UInt8]
    do throws(FileError) {
      content = try FileSystem.readFile(path, maxBytes: RuleFile.maxBytes)
    } catch {
      guard error.isMissing else { throw unreadable(path, error) }
      return 0
    }
    do {
      let file = try RuleFile(parsing: content)
      return try table.restore(file.rules, nextNumber: file.nextNumber, now: now)
    } catch {
      throw unreadable(path, error)
    }
  }

  private static func unreadable(_ path: String, _ error: any Error) -> StartError {
    .configuration("\(path): \(error); bans may be in it: mend it, or move it away to start without them")
  }
}

extension RuleClient {
  init(address: IPAddress?, user: UserID?, token: TokenLife?) {
    self.init(
      address: address, user: user.map { VouchedName($0.subject, by: $0.auth) },
      token: token.map { Token(issuedAt: $0.issuedAt, id: $0.tokenID) })
  }
}

extension LogLine {
  fileprivate mutating func describe(_ rule: Rule) {
    add(.ruleID, rule.id.description)
    add(.ruleAction, rule.effect.action)
    add(.ruleSubject, rule.effect.subjectWord)
    switch rule.effect {
    case .ban(.user(let name)), .throttle(.user(let name), _), .revoke(.ofUser(let name, _)): add(.userID, name.text)
    case .ban(.network(let block)), .throttle(.network(let block), _): add(.clientAddress, block.description)
    case .revoke(.token), .revoke(.ofAuth): break
    }
  }
}

extension RuleEffect {
  /// What kind of subject it has.
  fileprivate var subjectWord: String {
    switch self {
    case .ban(.user), .throttle(.user, _), .revoke(.ofUser): "user"
    case .ban(.network), .throttle(.network, _): "network"
    case .revoke(.token): "token"
    case .revoke(.ofAuth): "auth"
    }
  }
}

extension RuleTable {
  fileprivate mutating func replaceSeeds(
    _ old: [Configuration.Rule], with new: [Configuration.Rule], now: WallTime
  ) throws(RuleTableError) -> (removed: [Rule], added: [Rule]) {
    let removed = old.filter { !new.contains($0) }.compactMap { removeSeed($0.effect) }
    var added: [Rule] = []
    for rule in new where !old.contains(rule) {
      added.append(try add(rule.effect, for: rule.ttl, author: "configuration", isSeed: true, now: now).rule)
    }
    return (removed, added)
  }
}
