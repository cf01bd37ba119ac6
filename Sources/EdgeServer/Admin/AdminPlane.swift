import EdgeAdmin
import EdgeConfig
import EdgeCore
import EdgeIO
import EdgePolicy
import EdgeRouting
import EdgeTLS
import EdgeTelemetry
import EdgeWebSocket

/// The edge as the admin plane sees it. Its calls come on the admin plane's threads, and reach the reactors by mailbox.
final class AdminPlane: AdminBackend {
  let shared: SharedState
  let reactors: [EdgeReactor]
  let reloader: Reloader
  let logs: EdgeLogs
  let version: EdgeVersion
  let started = Moment.now()
  /// Orders to close many connections.
  let jobs = ClosingJobs()

  init(
    shared: SharedState, reactors: [EdgeReactor], reloader: Reloader, logs: EdgeLogs, version: EdgeVersion
  ) {
    self.shared = shared
    self.reactors = reactors
    self.reloader = reloader
    self.logs = logs
    self.version = version
  }

  /// How long a call waits for the reactors.
  static let patience = Duration.seconds(2)

  func metrics(as format: ExpositionFormat) -> [UInt8] {
    let values = ScrapeValues(
      version: version.number, revision: version.revision, tlsLibrary: EdgeVersion.tlsLibrary, isDraining: shared.isDraining,
      logRecordsDropped: logs.droppedRecords, certificates: certificateSamples, keySets: keySets,
      connectedClients: shared.limits.openConnections, clientLimit: shared.snapshot.admission.maxConnections, pools: poolSamples,
      workers: workerSamples, limiters: shared.limits.samples, control: shared.control.sample,
      process: ProcessSample(ProcessFigures.read(), started: started.wallTime))
    return Exposition.render(values, reactors: reactors.map(\.metrics), as: format)
  }

  func isLive() -> Bool { true }

  func readiness() -> AdminReadiness {
    shared.isDraining ? .notReady("draining") : .ready
  }

  func rules() -> [Rule] { shared.rules.all() }

  func rule(_ id: RuleID) -> Rule? { shared.rules.rule(id) }

  func add(_ order: RuleOrder) throws(AdminBackendError) -> RuleOutcome {
    if let auth = order.effect.auth, shared.snapshot.configuration.auth[auth] == nil { return .unknownAuth(auth) }
    let addition: RuleTable.Addition
    do throws(RuleTableError) {
      addition = try shared.rules.add(order.effect, for: order.ttl, reason: order.reason, author: order.author)
    } catch {
      return .full(maxRules: RuleTable.maxRules)
    }
    shared.events.publish(.added(addition.rule))
    // It is in force from here on: what fails below is told, and changes nothing of that.
    let closed = try? enforce(addition.rule)
    return .inForce(addition.rule, isNew: addition.isNew, isPersisted: shared.rules.save(), closed: closed)
  }

  func removeRule(_ id: RuleID) -> Bool? {
    guard let rule = shared.rules.remove(id) else { return nil }
    shared.events.publish(.removed(rule))
    if rule.effect.isThrottle { _ = try? enforce(rule) }
    switch id {
    case .made: return shared.rules.save()
    // The configuration says it again at the next start.
    case .seed: return false
    }
  }

  /// Tells the reactors of a rule that came or went; gives how many WebSockets and requests they ended for it.
  private func enforce(_ rule: Rule) throws(AdminBackendError) -> Int {
    let answers = try Answers<Int>()
    for reactor in reactors {
      guard reactor.post(.enforce(rule) { answers.add($0) }) else { throw .stopping }
    }
    return try answers.wait(for: reactors.count, patience: Self.patience).reduce(0, +)
  }

  func configuration() -> AdminConfiguration {
    let snapshot = shared.snapshot
    return AdminConfiguration(
      etag: snapshot.etag, json: snapshot.configuration.shownJSON, yaml: snapshot.configuration.shownYAML())
  }

  func validate(_ yaml: String) -> ReloadOutcome { reloader.validate(yaml) }

  func reload() throws(AdminBackendError) -> ReloadOutcome { try reloader.run() }

  func workers() -> [AdminWorker] {
    shared.snapshot.pools.flatMap { pool in
      pool.workers.map { worker in
        AdminWorker(
          pool: pool.name, path: worker.socket.path, state: worker.admin, isUp: worker.isUp && worker.isPresent,
          connections: worker.connections,
          weight: worker.weight, connectFailures: shared.workerFailures.failures(of: worker.socket.path).values.reduce(0, +))
      }
    }
  }

  var events: EventHub { shared.events }

  func giveWay() { PlatformThread.giveWay() }

  func audit(_ record: AuditRecord) {
    shared.control.adminActed(record.action, result: AdminActionResult(status: record.status))
    logs.audit.writeAlways(.info, "admin.write", "Somebody asked for a change through the admin plane.") { line in
      line.add(.auditActor, record.who.map { "\($0.name) (\($0.role.rawValue))" } ?? "unknown")
      line.add(.peerAddress, record.peer.description)
      line.add(.auditAction, record.action)
      line.add(.auditTarget, record.target)
      line.add(.status, record.status)
      if !record.detail.isNull { line.add(.auditDetail, String(decoding: record.detail.encoded(), as: UTF8.self)) }
    }
  }

  private var certificateSamples: [CertificateSample] {
    shared.snapshot.listeners.flatMap { $0.tls?.certificates ?? [] }.map {
      CertificateSample(name: $0.name, notAfter: $0.notAfter)
    }
  }

  private var keySets: [KeySetSample] {
    let now = MonotonicClock.now()
    return shared.snapshot.fetchers.map { KeySetSample(auth: $0.ring.auth, age: $0.age(now: now)) }
  }

  private var poolSamples: [PoolSample] {
    shared.snapshot.pools.map { PoolSample(name: $0.name, readyWorkers: $0.workers.count(where: \.takesClients)) }
  }

  private var workerSamples: [WorkerSample] {
    shared.snapshot.pools.flatMap { pool in
      pool.workers.map { worker in
        WorkerSample(
          pool: pool.name, worker: worker.socket.path, isUp: worker.isUp && worker.isPresent, connections: worker.connections,
          connectFailures: shared.workerFailures.failures(of: worker.socket.path))
      }
    }
  }
}
