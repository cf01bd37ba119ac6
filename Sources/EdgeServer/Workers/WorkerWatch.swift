import EdgeAdmin
import EdgeCore
import EdgeIO
import EdgeRouting

/// Tells of workers that came, went or are judged differently, whoever judged: it compares them with what they were.
struct WorkerWatch {
  private var known: [Key: Standing]?

  /// Compares, and tells the readers. Call it once a second.
  mutating func look(at pools: [WorkerPoolState], telling events: EventHub) {
    // What nobody is told of need not be known.
    guard events.isRead else {
      known = nil
      return
    }
    var seen: [Key: Standing] = [:]
    for pool in pools {
      for worker in pool.workers {
        seen[Key(pool: pool.name, worker: worker.id)] = Standing(
          path: worker.socket.path, isPresent: worker.isPresent, isUp: worker.isUp, state: worker.admin)
      }
    }
    for event in Self.changes(from: known ?? seen, to: seen, at: WallClock.now()) { events.publish(event) }
    known = seen
  }

  /// Names one worker of one pool.
  struct Key: Hashable, Comparable {
    let pool: String
    let worker: WorkerID

    static func < (lhs: Key, rhs: Key) -> Bool { (lhs.pool, lhs.worker) < (rhs.pool, rhs.worker) }
  }

  /// How a worker stands.
  struct Standing: Equatable {
    let path: String
    let isPresent: Bool
    let isUp: Bool
    let state: WorkerAdminState
  }

  /// What there is to tell, in the order of pools and workers.
  static func changes(from before: [Key: Standing], to after: [Key: Standing], at time: WallTime) -> [AdminEvent] {
    Set(before.keys).union(after.keys).sorted().compactMap { key in
      guard let standing = after[key] ?? before[key], before[key] != after[key] else { return nil }
      let change: String
      switch (before[key], after[key]) {
      case (nil, _): change = "added"
      case (_, nil): change = "removed"
      case (let old?, let new?) where old.isPresent != new.isPresent: change = new.isPresent ? "added" : "removed"
      case (let old?, let new?) where old.isUp != new.isUp: change = new.isUp ? "up" : "down"
      case (_, _): change = "state"
      }
      return AdminEvent(
        .worker, at: time,
        details: [
          .init(name: "change", value: .string(change)), .init(name: "pool", value: .string(key.pool)),
          .init(name: "path", value: .string(standing.path)), .init(name: "up", value: .bool(standing.isUp)),
          .init(name: "state", value: .string(standing.state.rawValue)),
        ])
    }
  }
}
