import EdgeAdmin
import EdgeConfig
import EdgeCore
import EdgeIO
import EdgePolicy
import EdgeTelemetry
import Synchronization

/// One reload, step by step: read the file, make what it asks for, put it in force. Up to the last step nothing that serves clients
/// has changed, and any flaw ends it there; the last one cannot fail.
final class Reload: Sendable {
  private let source: ConfigurationSource
  private let shared: SharedState
  private let reactors: [EdgeReactor]
  private let control: Mailbox<ControlOrder>
  private let logs: EdgeLogs
  private let admin: AdminAccess
  private let history: Guarded<History>
  private let isCancelled = Atomic(false)
  /// Fetchers of keys whose first answer is awaited.
  private let awaited = Guarded<[KeyFetcher]>([])

  init(
    _ source: ConfigurationSource, shared: SharedState, reactors: [EdgeReactor], control: Mailbox<ControlOrder>, logs: EdgeLogs,
    admin: AdminAccess
  ) {
    self.source = source
    self.shared = shared
    self.reactors = reactors
    self.control = control
    self.logs = logs
    self.admin = admin
    history = Guarded(History(loaded: .now()))
  }

  /// Where the configuration in force comes from, and what came of the last reload.
  var state: AdminStatus.ConfigurationState {
    let history = history.withLock { $0 }
    return AdminStatus.ConfigurationState(
      file: source.name, loaded: history.loaded, etag: shared.snapshot.etag, lastReload: history.last)
  }

  private struct History {
    var loaded: Moment
    var last: (at: WallTime, result: String)?
  }

  /// Lets a reload that waits for something give up: the edge ends.
  func cancel() {
    isCancelled.store(true, ordering: .releasing)
    for fetcher in awaited.withLock({ $0 }) { fetcher.stop() }
  }

  /// Reloads.
  ///
  /// - Parameter asker: who wants it, for the log.
  func run(askedBy asker: String) -> ReloadOutcome {
    shared.service.reloads(now: MonotonicClock.now())
    let outcome = reload(askedBy: asker)
    shared.service.reloaded(isApplied: outcome.isApplied, shared, now: MonotonicClock.now())
    return outcome
  }

  private func reload(askedBy asker: String) -> ReloadOutcome {
    let old = shared.snapshot
    let file: Configuration
    do {
      file = try source.read()
    } catch {
      return refused(error.errors.map { ConfigurationFlaw($0) }, .invalid, asker)
    }
    do throws(StartError) {
      return try apply(file, over: old, asker)
    } catch {
      let result: ReloadResult =
        switch error {
        case .configuration: .invalid
        case .bind, .system: .failed
        }
      return refused([ConfigurationFlaw(message: "\(error)")], result, asker)
    }
  }

  /// Says what would change if this were the file's text. Files that it names are not looked at.
  func validate(_ text: String) -> ReloadOutcome {
    do {
      let diff = ConfigurationDiff(from: shared.snapshot.configuration, to: try source.parse(text))
      return .applied(diff.changes.map { ConfigurationChange($0) })
    } catch {
      return .refused(error.errors.map { ConfigurationFlaw($0) })
    }
  }

  private func apply(_ file: Configuration, over old: Snapshot, _ asker: String) throws(StartError) -> ReloadOutcome {
    let configuration = old.configuration.reloaded(with: file)
    let snapshot = try SnapshotBuilder(
      configuration, replacing: old, tickets: shared.tickets, inherited: shared.inherited, log: shared.log
    ).build(reactors: reactors.count)
    try checkRules(of: configuration, replacing: old.configuration)
    let next = Prepared(
      snapshot: snapshot, keys: try rereadKeys(of: snapshot, keptFrom: old), tokens: try AdminTokens.read(configuration.admin))
    let diff = ConfigurationDiff(from: old.configuration, to: file).adding(
      snapshot.fileChanges(since: old) + next.keys.compactMap(\.change) + tokenChanges(by: next, since: old))
    if diff.changesRunningEdge {
      let logPlan = try logs.plan(for: configuration)
      do throws(StartError) {
        try fetchNewKeys(of: snapshot, since: old)
      } catch {
        logs.discard(logPlan)
        throw error
      }
      putInForce(next, logPlan, replacing: old)
    }
    for fetcher in snapshot.fetchers { fetcher.refetch(now: MonotonicClock.now()) }
    return applied(diff, asker)
  }

  /// What is made for another configuration, beside its logs.
  private struct Prepared {
    let snapshot: Snapshot
    let keys: [RereadKeys]
    let tokens: AdminTokens?
  }

  // MARK: Before anything changes

  private func rereadKeys(of next: Snapshot, keptFrom old: Snapshot) throws(StartError) -> [RereadKeys] {
    var all: [RereadKeys] = []
    for (name, keys) in next.keys where old.keys[name] === keys {
      if let bundle = try keys.reread() { all.append(RereadKeys(of: keys, bundle: bundle)) }
    }
    return all
  }

  private func checkRules(of configuration: Configuration, replacing old: Configuration) throws(StartError) {
    do {
      try shared.rules.checkSeeds(old.rules, replacedBy: configuration.rules)
    } catch {
      throw .configuration("rules: \(error)")
    }
  }

  /// An identity provider that is new must have given its keys: else all of its users would be refused from here on.
  private func fetchNewKeys(of next: Snapshot, since old: Snapshot) throws(StartError) {
    let new = next.fetchers.filter { fetcher in !old.fetchers.contains { $0 === fetcher } }
    guard !new.isEmpty else { return }
    awaited.withLock { $0 = new }
    defer { awaited.withLock { $0 = [] } }
    do {
      if isCancelled.load(ordering: .acquiring) { throw StartError.system("the edge is going down") }
      try KeyFetcher.start(new, log: shared.log)
      for fetcher in new where fetcher.age(now: MonotonicClock.now()) == nil {
        throw StartError.configuration("auth \(fetcher.ring.auth): its provider has given no keys")
      }
    } catch {
      for fetcher in new { fetcher.stop() }
      for fetcher in new { fetcher.join() }
      throw error as? StartError ?? .system("\(error)")
    }
  }

  private func tokenChanges(by next: Prepared, since old: Snapshot) -> [ConfigurationDiff.Change] {
    guard next.snapshot.configuration.admin.tokensFile == old.configuration.admin.tokensFile, let before = admin.tokens,
      let after = next.tokens, before != after
    else { return [] }
    return [
      ConfigurationDiff.Change(
        keyPath: "admin.tokens_file", before: "\(before.count) tokens", after: "\(after.count) other tokens", effect: .applied)
    ]
  }

  // MARK: In force

  private func putInForce(_ next: Prepared, _ logPlan: LogPlan, replacing old: Snapshot) {
    let (snapshot, log) = (next.snapshot, next.snapshot.configuration.log)
    logs.adopt(logPlan, level: log.level == old.configuration.log.level ? logs.level : LogLevel(log.level))
    admin.adopt(next.tokens)
    for keys in next.keys { keys.ring.replace(with: keys.bundle) }
    shared.replaceSnapshot(with: snapshot)
    awaitAll("control") { reply in control.post(.adopt(snapshot, reply: reply)) ? 1 : 0 }
    awaitAll("reactors") { reply in reactors.count { $0.adopt(snapshot, reply: reply) } }
    replaceRules(of: old.configuration, with: snapshot.configuration)
    tellListeners(snapshot, old)
    let gone = old.fetchers.filter { fetcher in !snapshot.fetchers.contains { $0 === fetcher } }
    for fetcher in gone { fetcher.stop() }
    for fetcher in gone { fetcher.join() }
  }

  /// Waits until everybody goes by the new configuration; whoever is too slow for that does so a little later.
  ///
  /// - Parameter order: asks them, and says how many there are.
  private func awaitAll(_ who: String, _ order: (@escaping @Sendable () -> Void) -> Int) {
    do {
      let answers = try Answers<Void>()
      let posted = order { answers.add(()) }
      _ = try answers.wait(for: posted, patience: .seconds(10))
    } catch {
      shared.log.write(.warning, "reload.slow", "Some of the edge has not taken the new configuration in yet.") { line in
        line.add(.errorType, who)
      }
    }
  }

  private func replaceRules(of old: Configuration, with new: Configuration) {
    do {
      let (removed, added) = try shared.rules.replaceSeeds(old.rules, with: new.rules)
      for rule in removed { shared.events.publish(.removed(rule)) }
      for rule in added { shared.events.publish(.added(rule)) }
      for rule in removed.filter(\.effect.isThrottle) + added {
        for reactor in reactors { reactor.post(.enforce(rule) { _ in }) }
      }
    } catch {
      // There was room a moment ago: the admin plane has filled it.
      shared.log.write(.error, "rules.full", "The configuration's rules have not been replaced.") { line in
        line.add(.errorType, "\(error)")
      }
    }
  }

  private func tellListeners(_ next: Snapshot, _ old: Snapshot) {
    func tell(_ event: StaticString, _ message: String, _ snapshot: Snapshot, notIn other: Snapshot) {
      for (listener, sockets) in zip(snapshot.listeners, snapshot.sockets)
      where !other.sockets.contains(where: { $0.address == sockets.address }) {
        shared.log.write(.info, event, message) { line in
          line.add(.listener, listener.name)
          line.add(.serverAddress, sockets.address)
        }
      }
    }
    tell("listener.ready", "Clients are served.", next, notIn: old)
    tell("listener.closed", "Clients are served here no more.", old, notIn: next)
  }

  // MARK: The outcome

  private func applied(_ diff: ConfigurationDiff, _ asker: String) -> ReloadOutcome {
    let (isChange, needsRestart) = (diff.changesRunningEdge, diff.needsRestart)
    let changed = diff.changes.filter { $0.effect != .needsRestart }.map(\.keyPath)
    ended(isChange ? "applied" : "unchanged", .applied, asker) { details in
      details.append(.init(name: "changes", value: .array(changed.prefix(maxLoggedKeys).map { .string($0) })))
      details.append(.init(name: "needs_restart", value: .array(needsRestart.prefix(maxLoggedKeys).map { .string($0) })))
    }
    let message = isChange ? "Another configuration is in force." : "The configuration in force stays as it is."
    shared.log.write(.info, isChange ? "reload.applied" : "reload.unchanged", message) { line in
      line.add(.reloadAsker, asker)
      if isChange { line.add(.reloadChanges, summary(of: changed)) }
      if !needsRestart.isEmpty { line.add(.reloadNeedsRestart, summary(of: needsRestart)) }
    }
    return .applied(diff.changes.map { ConfigurationChange($0) })
  }

  private func refused(_ flaws: [ConfigurationFlaw], _ result: ReloadResult, _ asker: String) -> ReloadOutcome {
    ended("failed", result, asker) { details in
      details.append(.init(name: "errors", value: .integer(Int64(flaws.count))))
    }
    for flaw in flaws.prefix(maxLoggedFlaws) {
      shared.log.write(.error, "reload.failed", "The configuration cannot be used; the one in force stays.") { line in
        line.add(.reloadAsker, asker)
        line.add(.errorType, flaw.place(in: source.name) + flaw.message)
      }
    }
    return .refused(flaws)
  }

  private func ended(_ word: String, _ result: ReloadResult, _ asker: String, _ fill: (inout [JSON.Member]) -> Void) {
    let now = Moment.now()
    shared.control.reloadEnded(result)
    history.withLock { history in
      history.last = (now.wallTime, word)
      if word == "applied" { history.loaded = now }
    }
    var details = [JSON.Member(name: "result", value: .string(word)), .init(name: "by", value: .string(asker))]
    fill(&details)
    shared.events.publish(AdminEvent(.reload, at: now.wallTime, details: details))
  }

  /// As many of the keys as one line of a log can bear.
  private func summary(of keyPaths: [String]) -> String {
    let shown = keyPaths.prefix(maxLoggedKeys).joined(separator: " ")
    return keyPaths.count > maxLoggedKeys ? "\(shown) and \(keyPaths.count - maxLoggedKeys) more" : shown
  }
}

extension ReloadOutcome {
  fileprivate var isApplied: Bool {
    switch self {
    case .applied: true
    case .refused: false
    }
  }
}

extension LogField {
  /// Who asked for a reload: `SIGHUP` or `admin`.
  static let reloadAsker = LogField("reload.asker")
  /// The keys whose change is in force.
  static let reloadChanges = LogField("reload.changes")
  /// The keys whose change waits for a restart.
  static let reloadNeedsRestart = LogField("reload.needs_restart")
}

private let maxLoggedKeys = 50
private let maxLoggedFlaws = 100
