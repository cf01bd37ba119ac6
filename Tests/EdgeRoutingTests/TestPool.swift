import EdgeCore
import EdgeRouting
import Testing

/// A pool with a clock that tests move by hand. (A class, since `#expect` takes no mutating call on a value.)
final class TestPool {
  var pool: WorkerPool
  var now = Instant(nanoseconds: 1_000_000_000)

  init(_ count: Int, settings: WorkerPool.Settings = .init(), age: Duration = .seconds(10)) {
    pool = WorkerPool(settings: settings)
    _ = pool.update(found: Self.sockets(count), now: now)
    advance(age)
  }

  static func sockets(_ count: Int) -> [WorkerSocket] {
    (0..<count).map { WorkerSocket(path: "/run/w\($0).sock", inode: UInt64(100 + $0)) }
  }

  var ids: [WorkerID] { pool.snapshot.map(\.id) }
  var loads: [Int] { pool.snapshot.map(\.connections) }
  var up: [Bool] { pool.snapshot.map(\.isUp) }

  func advance(_ duration: Duration) { now = now + duration }

  func scan(_ sockets: [WorkerSocket]) -> WorkerPool.Changes { pool.update(found: sockets, now: now) }

  func choose(excluding: Set<WorkerID> = []) throws -> WorkerPool.Choice {
    let choice = attempt(excluding: excluding)
    return try #require(choice)
  }

  func attempt(excluding: Set<WorkerID> = []) -> WorkerPool.Choice? {
    pool.choose(now: now, excluding: excluding)
  }

  /// Where a client goes that belongs to a worker.
  func path(_ affinity: WorkerAffinity, excluding: Set<WorkerID> = []) -> String? {
    pool.choose(now: now, excluding: excluding, affinity: affinity)?.path
  }

  func healthCheck(_ worker: WorkerID, passed: Bool) {
    pool.healthCheck(worker, passed: passed, now: now)
  }

  func set(path: String, admin: WorkerAdminState? = nil, keepsClients: Bool = true, weight: Int? = nil) -> Bool {
    pool.set(path: path, admin: admin, keepsClients: keepsClients, weight: weight)
  }

  /// Sends clients until worker number `index` gets one, which fails there; where it gets none any more, an older attempt fails.
  func fail(_ index: Int, _ failure: ConnectFailure) throws {
    let id = ids[index]
    var others: [WorkerID] = []
    while let choice = pool.choose(now: now, excluding: Set(others)) {
      if choice.worker == id {
        pool.failed(id, failure, now: now)
        break
      }
      others.append(choice.worker)
    }
    for other in others { pool.closed(other) }
  }
}
