import EdgeCore
import EdgeRouting
import Testing

@Suite struct WorkerPoolPropertyTests {
  /// Every event that can happen to a pool, in random order, beside a model that only counts places. Every third run goes without
  /// active checks, so that the floor under passive health shows.
  @Test(arguments: 0..<60)
  func `places add up, and a client is turned away only when no worker is usable`(seed: Int) throws {
    var random = SplitMix(state: UInt64(seed))
    var now = Instant(nanoseconds: 5_000_000_000)
    var pool = WorkerPool(settings: .init(balance: seed % 2 == 0 ? .leastConnections : .roundRobin))
    var held: [WorkerID] = []
    let hasChecks = seed % 3 != 0
    for _ in 0..<1500 {
      now = now + .milliseconds(Int.random(in: 0..<300, using: &random))
      switch Int.random(in: 0..<20, using: &random) {
      case 0:
        _ = pool.update(found: randomSockets(&random), now: now)
      case 1:
        let state = try #require(WorkerAdminState.allCases.randomElement(using: &random))
        _ = pool.set(
          path: "/run/w\(Int.random(in: 0..<5, using: &random)).sock", admin: state,
          weight: Int.random(in: -1..<4, using: &random))
      case 2:
        if hasChecks, let worker = pool.snapshot.randomElement(using: &random) {
          pool.healthCheck(worker.id, passed: Bool.random(using: &random), now: now)
        }
      case 3..<8:
        if let index = held.indices.randomElement(using: &random) { pool.closed(held.remove(at: index)) }
      case 8..<11:
        if let index = held.indices.randomElement(using: &random) {
          let failure = try #require(ConnectFailure.allCases.randomElement(using: &random))
          pool.failed(held.remove(at: index), failure, now: now)
        }
      case 11..<13:
        if let worker = held.randomElement(using: &random) { pool.answered(worker, now: now) }
      default:
        let excluded = Set(pool.snapshot.map(\.id).filter { _ in Int.random(in: 0..<4, using: &random) == 0 })
        let before = pool.snapshot
        let choice = pool.choose(now: now, excluding: excluded)
        #expect(choice != nil || !before.contains { $0.takesClients && !excluded.contains($0.id) })
        guard let choice else { continue }
        let worker = try #require(before.first { $0.id == choice.worker })
        #expect(worker.isPresent && worker.admin == .ready && worker.weight > 0 && !excluded.contains(worker.id))
        #expect(worker.isUp == !choice.isProbe)
        held.append(choice.worker)
      }
      for worker in pool.snapshot {
        #expect(worker.connections == held.count { $0 == worker.id })
        #expect(worker.isPresent || worker.connections > 0)
      }
      let eligible = pool.snapshot.filter { $0.isPresent && $0.admin == .ready && $0.weight > 0 }
      let down = eligible.count { !$0.isUp }
      #expect(hasChecks || (2 * down <= eligible.count && pool.hasUsableWorker == !eligible.isEmpty))
      #expect(Set(held).isSubset(of: pool.snapshot.map(\.id)))
    }
  }

  private func randomSockets(_ random: inout SplitMix) -> [WorkerSocket] {
    (0..<5).filter { _ in Int.random(in: 0..<4, using: &random) > 0 }.map {
      WorkerSocket(path: "/run/w\($0).sock", inode: UInt64.random(in: 0..<2, using: &random))
    }
  }
}

/// A small generator with a seed, so that a failure can be repeated.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
