import EdgeCore
import EdgeIO
import EdgeRouting

/// A pool's workers, shared by all reactors. Its lock is taken when a connection begins and ends, never for a message.
final class WorkerPoolState: Sendable {
  let name: String
  private let patterns: Guarded<[String]>
  private let pool: Guarded<WorkerPool>

  init(name: String, patterns: [String], settings: WorkerPool.Settings) {
    self.name = name
    self.patterns = Guarded(patterns)
    pool = Guarded(WorkerPool(settings: settings))
  }

  /// Goes by other settings; what is known of the workers stays. New paths count from the next scan on.
  ///
  /// - Parameter isChecked: whether active checks go on, or begin.
  func adopt(patterns: [String], settings: WorkerPool.Settings, isChecked: Bool) {
    self.patterns.withLock { $0 = patterns }
    pool.withLock { pool in
      pool.adopt(settings)
      if !isChecked { pool.endHealthChecks() }
    }
  }

  /// Looks which sockets there are now. Blocks on the disk: not for a reactor that serves clients.
  func rescan(now: Instant) -> WorkerPool.Changes {
    var seen: Set<String> = []
    var found: [WorkerSocket] = []
    for match in patterns.withLock({ $0 }).flatMap(FileSystem.glob)
    where match.status.kind == .socket && seen.insert(match.path).inserted {
      let identity = match.status.identity
      found.append(WorkerSocket(path: match.path, inode: identity.inode, birth: identity.birth))
    }
    return pool.withLock { $0.update(found: found, now: now) }
  }

  /// The worker for a new client; its place is taken until `closed` or `failed`.
  func choose(now: Instant, excluding tried: Set<WorkerID>, affinity: WorkerAffinity) -> WorkerPool.Choice? {
    pool.withLock { $0.choose(now: now, excluding: tried, affinity: affinity) }
  }

  func answered(_ worker: WorkerID, now: Instant) {
    pool.withLock { $0.answered(worker, now: now) }
  }

  func failed(_ worker: WorkerID, _ failure: ConnectFailure, now: Instant) {
    pool.withLock { $0.failed(worker, failure, now: now) }
  }

  func closed(_ worker: WorkerID) {
    pool.withLock { $0.closed(worker) }
  }

  func healthCheck(_ worker: WorkerID, passed: Bool, now: Instant) {
    pool.withLock { $0.healthCheck(worker, passed: passed, now: now) }
  }

  /// Does what the operator wants of the worker at `path`, and of those that come there later.
  ///
  /// - Returns: whether there is such a worker.
  func set(path: String, admin: WorkerAdminState?, keepsClients: Bool, weight: Int?) -> Bool {
    pool.withLock { $0.set(path: path, admin: admin, keepsClients: keepsClients, weight: weight) }
  }

  /// Whether the worker's clients are to go.
  func sendsClientsAway(_ worker: WorkerID) -> Bool {
    pool.withLock { $0.sendsClientsAway(worker) }
  }

  var workers: [WorkerSnapshot] {
    pool.withLock { $0.snapshot }
  }
}
