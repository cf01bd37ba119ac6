import EdgeAdmin
import EdgeConfig
import EdgeCore
import EdgeIO
import EdgePolicy
import EdgeRouting
import EdgeTLS
import EdgeTelemetry

/// What happens beside the clients, on the main thread: signals, the search for workers, ticket keys, key files, rules
/// that expire, and the drain.
final class ControlLoop: EventSource {
  private let reactor: Reactor
  private let shared: SharedState
  private let keys: KeySources
  private let logs: EdgeLogs
  private let reactors: [EdgeReactor]
  private let checks: [(WorkerPoolState, Configuration.HealthCheck)]
  private let settings: Configuration.Drain
  private var workerWatch = WorkerWatch()
  /// `SharedState.connectionChanges` a second ago, and when memory was given back last.
  private var seenChanges = 0
  private var trimmedChanges = 0

  init(
    reactor: Reactor, shared: SharedState, keys: KeySources, logs: EdgeLogs, reactors: [EdgeReactor],
    checks: [(WorkerPoolState, Configuration.HealthCheck)], settings: Configuration.Drain
  ) {
    self.reactor = reactor
    self.shared = shared
    self.keys = keys
    self.logs = logs
    self.reactors = reactors
    self.checks = checks
    self.settings = settings
  }

  /// Runs until a drain is over, or a second signal ends it.
  func run(signals: SignalRelay) {
    reactor.add(self)
    reactor.setTimer(self, at: reactor.now + Self.period)
    for (pool, settings) in checks { HealthChecker(pool: pool, settings: settings, reactor: reactor).start() }
    signals.handler = { [unowned self] signal in received(signal) }
    reactor.run()
  }

  /// How often workers are looked for.
  static let period = Duration.seconds(1)

  override func timerFired() {
    let now = reactor.now
    scan(now: now)
    workerWatch.look(at: shared.pools, telling: shared.events)
    shared.tickets.rotate(now: now)
    keys.pollFiles(log: shared.log)
    shared.limits.sweep(now: now)
    rulesExpired(shared.rules.sweep())
    reportSuppressedDenials(now: now)
    shared.events.tick(now: now)
    returnMemoryWhenQuiet()
    if let reason = shared.drain.advance(connections: shared.limits.openConnections, now: now) { stop(reason) }
    setTimer(now: now)
  }

  private func scan(now: Instant) {
    for pool in shared.pools {
      let changes = pool.rescan(now: now)
      guard !changes.isEmpty else { continue }
      shared.log.write(.info, "workers.changed", "The workers of a pool have changed.") { record in
        record[.pool] = .text(pool.name)
        record[.workersAdded] = .integer(Int64(changes.added.count))
        record[.workersRemoved] = .integer(Int64(changes.removed.count))
      }
    }
    shared.workerFailures.keep(only: Set(shared.pools.flatMap { $0.workers.map(\.socket.path) }))
  }

  /// Connections keep the limits that they have until they are told.
  private func rulesExpired(_ expired: [Rule]) {
    for rule in expired {
      shared.events.publish(.expired(rule))
      guard rule.effect.isThrottle else { continue }
      for reactor in reactors { reactor.post(.enforce(rule) { _ in }) }
    }
  }

  /// A rush of handshakes leaves holes in the heap that idle connections never fill: once it is over they go back.
  private func returnMemoryWhenQuiet() {
    let changes = shared.limits.connectionChanges
    defer { seenChanges = changes }
    guard changes == seenChanges, changes != trimmedChanges else { return }
    trimmedChanges = changes
    Machine.returnFreeMemory()
  }

  private func reportSuppressedDenials(now: Instant) {
    for summary in shared.suppressedDenials(now: now) {
      shared.accessLog.write(.info, "connection.denials", "More connections of one address were denied than got a line each.") {
        record in
        if let address = summary.address { record[.clientAddress] = .text(address.description) }
        record[.suppressed] = .integer(Int64(clamping: summary.suppressed))
      }
    }
  }

  private func received(_ signal: Signal) {
    switch signal {
    case .terminate, .interrupt: beginDrain()
    case .hangUp:
      shared.log.write(.warning, "reload.unsupported", "Reloading is not supported yet; restart to apply a new configuration.")
    case .reopen: for log in logs.all { log.reopen() }
    }
  }

  private func beginDrain() {
    let now = reactor.now
    guard shared.drain.signalled(DrainPlan(settings), connections: shared.limits.openConnections, now: now) else {
      return stop("A second signal came.")
    }
    shared.log.write(.info, "drain.began", "The edge drains: not ready any more; clients are sent away after the delay.")
    setTimer(now: now)
  }

  private func setTimer(now: Instant) {
    reactor.setTimer(self, at: min(now + Self.period, max(now, shared.drain.deadline)))
  }

  private func stop(_ reason: String) {
    shared.log.write(.info, "edge.stopped", reason) { record in
      record[.connections] = .integer(Int64(shared.limits.openConnections))
    }
    shared.drain.stop()
    reactor.stop()
  }
}
