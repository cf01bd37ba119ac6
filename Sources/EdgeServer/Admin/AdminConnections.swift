import EdgeAdmin
import EdgeCore
import EdgeIO
import EdgePolicy
import EdgeWebSocket

/// What the admin plane says of connections, and does to them. Whoever asks waits; a reactor takes a share of the work in a turn.
extension AdminPlane {
  func connections(_ query: ConnectionQuery) throws(AdminBackendError) -> ConnectionPage {
    let empty = ConnectionSelection(query, now: .now())
    var selection = empty
    let closed = shared.closed.all
    if query.state.includesClosed {
      for connection in closed { selection.consider(connection) }
    }
    guard query.state.includesOpen else { return selection.page(of: closed.summaries(of: selection.ids)) }
    for part in try ask({ .select(empty, reply: $0) }) { selection.add(part) }
    return selection.page(of: try summaries(of: selection.ids, closed))
  }

  func connection(_ id: ConnectionID) throws(AdminBackendError) -> ConnectionSummary? {
    guard reactors.indices.contains(id.reactor) else { return nil }
    let open = try ask(id.reactor) { .describe([id], reply: $0) }
    return open.first ?? shared.closed.all.first { $0.id == id }?.summary
  }

  func disconnect(_ id: ConnectionID, _ order: DisconnectOrder) throws(AdminBackendError) -> Bool {
    guard reactors.indices.contains(id.reactor) else { return false }
    return try ask(id.reactor) { .close(id, CloseCode(rawValue: order.code), reason: order.reason, reply: $0) }
  }

  func disconnect(_ order: BulkDisconnectOrder) throws(AdminBackendError) -> BulkDisconnectOutcome {
    let now = MonotonicClock.now()
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

  /// What is shown of these connections. Of those that were open some may have closed meanwhile: then they are shown so.
  ///
  /// - Parameter closed: those that had closed when these were selected.
  private func summaries(
    of ids: Set<ConnectionID>, _ closed: some Sequence<ClosedConnection>
  ) throws(AdminBackendError) -> [ConnectionSummary] {
    let shares = Dictionary(grouping: ids, by: \.reactor)
    let answers = try Answers<[ConnectionSummary]>()
    for (reactor, ids) in shares {
      guard reactors[reactor].post(.connections(.describe(ids) { answers.add($0) })) else { throw .stopping }
    }
    var summaries = Array(try answers.wait(for: shares.count, patience: Self.patience).joined())
    if summaries.count < ids.count { summaries += closed.summaries(of: ids.subtracting(summaries.map(\.id))) }
    if summaries.count < ids.count { summaries += shared.closed.all.summaries(of: ids.subtracting(summaries.map(\.id))) }
    return summaries
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
