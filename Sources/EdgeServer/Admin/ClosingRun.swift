import EdgeAdmin
import EdgeCore
import EdgeIO
import EdgeWebSocket
import Synchronization

/// An order to close many connections, while it is carried out: each reactor closes its own, at its share of the pace.
final class ClosingJob: Sendable {
  let name: String
  private let close: DisconnectOrder
  private let matched: Int
  private let beganAt = WallClock.now()
  private let closed = Atomic(0)
  private let gone = Atomic(0)
  private let runs: Atomic<Int>
  private let endedAt = Guarded<WallTime?>(nil)
  private let isStopped = Atomic(false)

  /// - Parameters:
  ///   - matched: how many connections it is about.
  ///   - runs: how many reactors carry it out.
  init(name: String, _ close: DisconnectOrder, matched: Int, runs: Int) {
    self.name = name
    self.close = close
    self.matched = matched
    self.runs = Atomic(runs)
  }

  /// Closes one of the connections.
  fileprivate func close(_ id: ConnectionID, of context: ReactorContext) {
    guard let tunnel = context.connections[id]?.tunnel, tunnel.ending == nil else {
      gone.add(1, ordering: .relaxed)
      return
    }
    tunnel.close(CloseCode(rawValue: close.code), reason: close.reason)
    closed.add(1, ordering: .relaxed)
  }

  /// A reactor is through with its share.
  fileprivate func runEnded() {
    if runs.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { end() }
  }

  /// Closes no more.
  func stop() {
    isStopped.store(true, ordering: .relaxed)
    end()
  }

  fileprivate var goesOn: Bool { !isStopped.load(ordering: .relaxed) }

  var isOver: Bool { endedAt.withLock { $0 != nil } }

  var report: EdgeAdmin.DisconnectJob {
    // The end is read first: a report of the end counts all that came before it.
    let endedAt = endedAt.withLock { $0 }
    return DisconnectJob(
      name: name, matched: matched, closed: closed.load(ordering: .relaxed), gone: gone.load(ordering: .relaxed),
      beganAt: beganAt, endedAt: endedAt)
  }

  private func end() {
    let now = WallClock.now()
    endedAt.withLock { $0 = $0 ?? now }
  }
}

/// One reactor's share of a `ClosingJob`.
final class ClosingRun: EventSource {
  private let job: ClosingJob
  private let context: ReactorContext
  private var rest: ArraySlice<ConnectionID>
  /// Nil is as fast as it goes.
  private let perSecond: Double?
  private let began: Instant
  private var count = 0
  private let finish: () -> Void

  private init(
    _ job: ClosingJob, _ ids: [ConnectionID], perSecond: Double?, context: ReactorContext, finish: @escaping () -> Void
  ) {
    self.job = job
    self.context = context
    rest = ids[...]
    self.perSecond = perSecond
    began = context.reactor.now
    self.finish = finish
  }

  /// Closes connections of the reactor: evenly, `perSecond` of them, or as many as leave time for messages in between.
  static func begin(
    _ job: ClosingJob, _ ids: [ConnectionID], perSecond: Double?, context: ReactorContext, finish: @escaping () -> Void
  ) {
    let run = ClosingRun(job, ids, perSecond: perSecond, context: context, finish: finish)
    context.reactor.add(run)
    run.goOn()
  }

  override func turn() { goOn() }

  override func timerFired() { goOn() }

  private func goOn() {
    let due = min(Self.share, perSecond.map { Int((context.reactor.now - began).inSeconds * $0) + 1 - count } ?? Self.share)
    if due > 0, job.goesOn {
      for id in rest.prefix(due) { job.close(id, of: context) }
      rest = rest.dropFirst(due)
      count += due
    }
    guard !rest.isEmpty, job.goesOn else {
      context.reactor.remove(self)
      job.runEnded()
      return finish()
    }
    guard let perSecond else { return context.reactor.runLater(self) }
    let next = began + .nanoseconds(Int64(Double(count) / perSecond * 1e9))
    context.reactor.setTimer(self, at: max(next, context.reactor.now + Self.shortestWait))
  }

  /// How many connections a turn closes at most.
  private static let share = 50
  private static let shortestWait = Duration.milliseconds(5)
}

/// The orders that are being carried out, and the last that were.
final class ClosingJobs: Sendable {
  private let state = Guarded(State())

  static let maxRunning = 16
  private static let maxKept = 64

  private struct State {
    var jobs: [ClosingJob] = []
    var serial = 0
  }

  /// Begins a job; nil where too many are being carried out.
  func begin(_ close: DisconnectOrder, matched: Int, runs: Int) -> ClosingJob? {
    state.withLock { state in
      guard state.jobs.count(where: { !$0.isOver }) < Self.maxRunning else { return nil }
      state.serial += 1
      let job = ClosingJob(name: "d\(state.serial)", close, matched: matched, runs: runs)
      state.jobs.append(job)
      while state.jobs.count > Self.maxKept, let oldest = state.jobs.firstIndex(where: \.isOver) { state.jobs.remove(at: oldest) }
      return job
    }
  }

  func job(_ name: String) -> ClosingJob? {
    state.withLock { state in state.jobs.first { $0.name == name } }
  }
}
