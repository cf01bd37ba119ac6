import EdgeAdmin
import EdgeCore
import EdgeIO
import EdgeRouting
import Testing

@testable import EdgeServer

@Suite struct `The watch on workers` {
  typealias Standing = WorkerWatch.Standing

  @Test(
    arguments: [
      (nil, standing(), "added"), (standing(), nil, "removed"), (standing(), standing(isPresent: false), "removed"),
      (standing(isPresent: false), standing(), "added"), (standing(), standing(isUp: false), "down"),
      (standing(isUp: false), standing(), "up"), (standing(), standing(state: .drain), "state"), (standing(), standing(), nil),
    ] as [(Standing?, Standing?, String?)])
  func `tells what has changed`(before: Standing?, after: Standing?, change: String?) throws {
    let key = WorkerWatch.Key(pool: "main", worker: try worker())
    let events = WorkerWatch.changes(
      from: before.map { [key: $0] } ?? [:], to: after.map { [key: $0] } ?? [:], at: WallTime(seconds: 1))
    #expect(events.compactMap { $0.details.first { $0.name == "change" }?.value.stringValue } == [change].compactMap { $0 })
  }

  private func worker() throws -> WorkerID {
    var pool = WorkerPool(settings: WorkerPool.Settings())
    _ = pool.update(found: [WorkerSocket(path: "/run/w.sock", inode: 1)], now: Instant(nanoseconds: 0))
    return try #require(pool.snapshot.first?.id)
  }
}

private func standing(
  isPresent: Bool = true, isUp: Bool = true, state: WorkerAdminState = .ready
) -> WorkerWatch.Standing {
  WorkerWatch.Standing(path: "/run/w.sock", isPresent: isPresent, isUp: isUp, state: state)
}
