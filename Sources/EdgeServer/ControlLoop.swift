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
  private let reloader: Reloader
  private let logs: EdgeLogs
  private let admin: AdminServer
  private let reactors: [EdgeReactor]
  private var workerWatch = WorkerWatch()
  private var clockWatch = ClockWatch(now: MonotonicClock.now(), wall: WallClock.now())
  private var keyFiles: [KeyFileWatch] = []
  /// Who asks the workers of a pool how they are, by the pool's name.
  private var checkers: [String: HealthChecker] = [:]
  /// `SharedState.connectionChanges` a second ago, and when memory was given back last.
  private var seenChanges = 0
  private var trimmedChanges = 0

  init(
    reactor: Reactor, shared: SharedState, reloader: Reloader, logs: EdgeLogs, admin: AdminServer,
    reactors: [EdgeReactor]
  ) {
    self.reactor = reactor
    self.shared = shared
    self.reloader = reloader
    self.logs = logs
    self.admin = admin
    self.reactors = reactors
  }

  /// Runs until a drain is over, or a second signal ends it.
  func run(signals: SignalRelay, orders: Mailbox<ControlOrder>) {
    reactor.add(self)
    reactor.setTimer(self, at: reactor.now + Self.period)
    adopt(shared.snapshot)
    signals.handler = { [unowned self] signal in received(signal) }
    let source = MailboxSource(orders) { [unowned self] order in received(order) }
    do throws(SystemError) {
      try source.attach(to: reactor)
    } catch {
      shared.log.write(.error, "reload.unsupported", "The configuration cannot be reloaded.") {
        $0.add(.errorType, "\(error)")
      }
    }
    startWatchdog()
    shared.service.serves(shared, now: reactor.now)
    reactor.run()
    orders.close()
  }

  private func startWatchdog() {
    guard let interval = shared.service.watchdogInterval else { return }
    do throws(SystemError) {
      try Watchdog(interval: interval, reactor: reactor, reactors: reactors, service: shared.service).start()
    } catch {
      shared.log.write(.error, "watchdog.failed", "The service manager gets no sign of life, and will end the edge.") {
        $0.add(.errorType, "\(error)")
      }
    }
  }

  private func received(_ order: ControlOrder) {
    switch order {
    case .adopt(let snapshot, let reply):
      adopt(snapshot)
      reply()
    }
  }

  /// Watches and asks what a configuration says.
  private func adopt(_ snapshot: Snapshot) {
    let (pools, now) = (zip(snapshot.pools, snapshot.configuration.pools), reactor.now)
    for (pool, settings) in pools {
      pool.adopt(settings)
      _ = pool.rescan(now: now)
    }
    let running = checkers
    checkers = [:]
    for (pool, settings) in pools {
      guard let health = settings.health else { continue }
      if let checker = running[pool.name], checker.checks(pool, by: health) {
        checkers[pool.name] = checker
      } else {
        let checker = HealthChecker(pool: pool, settings: health, reactor: reactor)
        checker.start()
        checkers[pool.name] = checker
      }
    }
    for (name, checker) in running where checkers[name] !== checker { checker.stop() }
    keyFiles = snapshot.keys.values.compactMap { keys in
      guard case .file(let file, let seen) = keys.upkeep else { return nil }
      return keyFiles.first { $0.ring === keys.ring } ?? KeyFileWatch(file, ring: keys.ring, seen: seen)
    }
  }

  /// How often workers are looked for.
  static let period = Duration.seconds(1)

  override func timerFired() {
    let now = reactor.now
    lookAtClock()
    scan(now: now)
    workerWatch.look(at: shared.snapshot.pools, telling: shared.events)
    shared.tickets.rotate(now: now)
    for file in keyFiles { file.poll(log: shared.log) }
    shared.limits.sweep(now: now)
    rulesExpired(shared.rules.sweep())
    reportSuppressedDenials(now: now)
    shared.events.tick(now: now)
    admin.endSlowConnections()
    returnMemoryWhenQuiet()
    shared.service.advance(shared, isEnding: shared.drain.endsProcess, now: now)
    if let reason = shared.drain.advance(connections: shared.limits.openConnections, now: now) { stop(reason) }
    setTimer(now: now)
  }

  /// Tokens end by the clock on the wall, timers go by another.
  private func lookAtClock() {
    guard let step = clockWatch.step(now: MonotonicClock.now(), wall: WallClock.now()) else { return }
    shared.log.write(.warning, "clock.stepped", "The clock was set: tokens end when they do by the new time.") { line in
      line.add(.clockStep, step)
    }
    for reactor in reactors { reactor.post(.clockStepped) }
  }

  private func scan(now: Instant) {
    let pools = shared.snapshot.pools
    for pool in pools {
      let changes = pool.rescan(now: now)
      guard !changes.isEmpty else { continue }
      shared.log.write(.info, "workers.changed", "The workers of a pool have changed.") { line in
        line.add(.pool, pool.name)
        line.add(.workersAdded, changes.added.count)
        line.add(.workersRemoved, changes.removed.count)
      }
    }
    shared.workerFailures.keep(only: Set(pools.flatMap { $0.workers.map(\.socket.path) }))
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
    TLSLibrary.returnFreeMemory()
    Machine.returnFreeMemory()
  }

  private func reportSuppressedDenials(now: Instant) {
    for summary in shared.suppressedDenials(now: now) {
      shared.accessLog.write(.info, "connection.denials", "More connections of one address were denied than got a line each.") {
        line in
        if let address = summary.address { line.add(.clientAddress, address) }
        line.add(.suppressed, summary.suppressed)
      }
    }
  }

  private func received(_ signal: Signal) {
    switch signal {
    case .terminate, .interrupt: beginDrain()
    case .hangUp: reloader.hangUp()
    case .reopen: logs.reopen()
    }
  }

  private func beginDrain() {
    let now = reactor.now
    guard
      shared.drain.signalled(DrainPlan(shared.snapshot.configuration.drain), connections: shared.limits.openConnections, now: now)
    else {
      return stop("A second signal came.")
    }
    shared.log.write(.info, "drain.began", "The edge drains: not ready any more; clients are sent away after the delay.")
    shared.service.advance(shared, isEnding: true, now: now)
    setTimer(now: now)
  }

  private func setTimer(now: Instant) {
    reactor.setTimer(self, at: min(now + Self.period, max(now, shared.drain.deadline)))
  }

  private func stop(_ reason: String) {
    shared.log.write(.info, "edge.stopped", reason) { line in
      line.add(.connections, shared.limits.openConnections)
    }
    shared.drain.stop()
    shared.service.advance(shared, isEnding: true, now: reactor.now)
    reactor.stop()
  }
}

/// What the control loop is told by other threads.
enum ControlOrder: Sendable {
  /// Watch and ask what another configuration says.
  case adopt(Snapshot, reply: @Sendable () -> Void)
}
