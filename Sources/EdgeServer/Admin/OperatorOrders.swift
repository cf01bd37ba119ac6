import EdgeAdmin
import EdgeConfig
import EdgeCore
import EdgeIO
import EdgeTelemetry

/// What operators ask of workers and of the edge as a whole.
extension AdminPlane {
  func changeWorker(at path: String, _ order: WorkerOrder) throws(AdminBackendError) -> WorkerChange? {
    let pools = shared.snapshot.pools.filter {
      $0.set(path: path, admin: order.state, keepsClients: order.keepsClients, weight: order.weight)
    }
    guard !pools.isEmpty else { return nil }
    guard order.state != nil else { return WorkerChange(closing: 0) }
    guard !order.keepsClients else {
      for reactor in reactors { reactor.post(.keep(atWorker: path)) }
      return WorkerChange(closing: 0)
    }
    // It is in force from here on: that reactors answer late is told, and changes nothing of that.
    return WorkerChange(closing: try? sendAway(fromWorker: path, over: order.spread))
  }

  private func sendAway(fromWorker path: String, over spread: Duration) throws(AdminBackendError) -> Int {
    let answers = try Answers<Int>()
    for reactor in reactors {
      guard reactor.post(.sendAway(fromWorker: path, spread: spread, reply: { answers.add($0) })) else { throw .stopping }
    }
    return try answers.wait(for: reactors.count, patience: Self.patience).reduce(0, +)
  }

  func drain(_ order: DrainOrder) throws(AdminBackendError) -> (drain: AdminDrain, connections: Int) {
    let connections = shared.limits.openConnections
    let plan = DrainPlan(order, settings: DrainPlan(shared.snapshot.configuration.drain))
    shared.drain.begin(plan, endsProcess: order.endsProcess, connections: connections, now: MonotonicClock.now())
    guard let drain = currentDrain else { throw .stopping }
    shared.log.write(.info, "drain.began", "The edge drains: not ready any more; clients are sent away after the delay.")
    return (drain, connections)
  }

  func undrain() -> Bool {
    let wasDraining = shared.isDraining
    guard shared.drain.takeBack(connections: shared.limits.openConnections) else { return false }
    if wasDraining { shared.log.write(.info, "drain.ended", "The edge serves again: its drain was taken back.") }
    return true
  }

  /// The drain that goes on, if one does.
  var currentDrain: AdminDrain? {
    guard let (drain, beganAt) = shared.drain.current else { return nil }
    return AdminDrain(
      beganAt: beganAt, spread: drain.plan.spread, endsAt: beganAt.adding(drain.spreadEnd - drain.began),
      endsProcess: drain.endsProcess)
  }
}

extension DrainPlan {
  /// Whoever asks for a longer drain than the configuration's gets the time for it, unless they say otherwise.
  fileprivate init(_ order: DrainOrder, settings: DrainPlan) {
    delay = order.delay ?? settings.delay
    spread = order.spread ?? settings.spread
    timeout = order.timeout ?? max(settings.timeout, delay + spread + timeForClosing)
  }
}

/// For the last client that is told to go, to answer and to go.
private let timeForClosing = Duration.seconds(30)
