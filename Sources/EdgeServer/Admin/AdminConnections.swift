import EdgeAdmin
import EdgeCore
import EdgeIO
import EdgePolicy
import EdgeWebSocket

/// What the admin plane says of connections, and does to them. Whoever asks waits; a reactor takes a share of the work in a turn.
extension AdminPlane {
  func connections(_ query: ConnectionQuery) throws(AdminBackendError) -> ConnectionPage {
    var selection = ConnectionSelection(query, now: WallClock.now())
    if query.state.includesClosed {
      for connection in shared.closed.all { selection.consider(connection.summary) }
    }
    if query.state.includesOpen {
      let empty = ConnectionSelection(query, now: WallClock.now())
      for part in try ask({ .select(empty, reply: $0) }) { selection.add(part) }
    }
    return selection.page()
  }

  func connection(_ id: ConnectionID) throws(AdminBackendError) -> ConnectionSummary? {
    guard reactors.indices.contains(id.reactor) else { return nil }
    let open = try ask(id.reactor) { .describe(id, reply: $0) }
    return open ?? shared.closed.all.first { $0.id == id }?.summary
  }

  func disconnect(_ id: ConnectionID, _ order: DisconnectOrder) throws(AdminBackendError) -> Bool {
    guard reactors.indices.contains(id.reactor) else { return false }
    return try ask(id.reactor) { .close(id, CloseCode(rawValue: order.code), reason: order.reason, reply: $0) }
  }

  func disconnect(_ order: BulkDisconnectOrder) throws(AdminBackendError) -> BulkDisconnectOutcome {
    let now = WallClock.now()
    let meant = try ask { .name(order.filter, now: now, reply: $0) }
    let matched = meant.reduce(0) { $0 + $1.count }
    guard !order.isRehearsal else { return .counted(matched) }
    let shares = meant.filter { !$0.isEmpty }
    guard !shares.isEmpty else { return .closed(0, of: 0) }
    guard let job = jobs.begin(order.close, matched: matched, runs: shares.count) else {
      return .busy(maxJobs: ClosingJobs.maxRunning)
    }
    let answers = try Answers<Bool>()
    for ids in shares {
      let perSecond = order.rate.map { Double($0) * Double(ids.count) / Double(matched) }
      let reactor = ids[0].reactor
      guard reactors[reactor].post(.connections(.closeAll(ids, job, perSecond: perSecond) { answers.add(true) })) else {
        throw .stopping
      }
    }
    if order.rate != nil { return .began(job.report) }
    _ = try answers.wait(for: shares.count, patience: Self.patience)
    return .closed(job.report.closed, of: matched)
  }

  func disconnectJob(_ name: String) -> DisconnectJob? {
    jobs.job(name)?.report
  }

  func stopDisconnectJob(_ name: String) -> DisconnectJob? {
    guard let job = jobs.job(name) else { return nil }
    job.stop()
    return job.report
  }

  func throttle(
    _ id: ConnectionID, _ throttle: (rates: Throttle, ttl: Duration?)?
  ) throws(AdminBackendError) -> ConnectionSummary? {
    guard reactors.indices.contains(id.reactor) else { return nil }
    let own = throttle.map { OwnThrottle(rates: $0.rates, for: $0.ttl) }
    return try ask(id.reactor) { .throttle(id, own, reply: $0) }
  }

  func talkers(_ subject: TopQuery.Subject) throws(AdminBackendError) -> TopTalkers {
    let now = MonotonicClock.now()
    var talkers: [String: Talker] = [:]
    var window: Duration?
    for sum in try ask({ .talkers(subject, now: now, reply: $0) }) {
      sum.add(to: &talkers)
      window = window ?? sum.window
    }
    return TopTalkers(now: WallClock.now(), window: window, talkers: talkers)
  }

  /// Asks all reactors, and waits for their answers.
  private func ask<Answer: Sendable>(
    _ order: (@escaping @Sendable (Answer) -> Void) -> ConnectionOrder
  ) throws(AdminBackendError) -> [Answer] {
    let answers = try Answers<Answer>()
    for reactor in reactors {
      guard reactor.post(.connections(order { answers.add($0) })) else { throw .stopping }
    }
    return try answers.wait(for: reactors.count, patience: Self.patience)
  }

  /// Asks one reactor, and waits for its answer.
  private func ask<Answer: Sendable>(
    _ reactor: Int, _ order: (@escaping @Sendable (Answer) -> Void) -> ConnectionOrder
  ) throws(AdminBackendError) -> Answer {
    let answers = try Answers<Answer>()
    guard reactors[reactor].post(.connections(order { answers.add($0) })) else { throw .stopping }
    guard let answer = try answers.wait(for: 1, patience: Self.patience).first else { throw .timeout }
    return answer
  }
}
