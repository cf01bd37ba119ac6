import EdgeAdmin
import EdgeCore
import EdgeIO
import EdgePolicy
import EdgeWebSocket

/// What the admin plane asks of a reactor about its WebSockets. Each reply is called once, on the reactor's thread; none where the
/// reactor stops before.
enum ConnectionOrder: Sendable {
  /// Select for a page.
  case select(ConnectionSelection, reply: @Sendable (ConnectionSelection) -> Void)
  /// Name those that a filter means.
  case name(ConnectionFilter, now: Instant, reply: @Sendable ([ConnectionID]) -> Void)
  /// Tell of some; of those that there still are.
  case describe([ConnectionID], reply: @Sendable ([ConnectionSummary]) -> Void)
  /// Close one; the reply tells whether there was one.
  case close(ConnectionID, CloseCode, reason: String, reply: @Sendable (Bool) -> Void)
  /// Close many, so many in a second; nil is as fast as it goes.
  case closeAll([ConnectionID], ClosingJob, perSecond: Double?, reply: @Sendable () -> Void)
  /// Slow one down, or not any more; the reply tells of it, if there was one.
  case throttle(ConnectionID, OwnThrottle?, reply: @Sendable (ConnectionSummary?) -> Void)
  /// Tell how much whom has said by `now`, which is the same for all reactors: they count over the same time.
  case talkers(TopQuery.Subject, now: Instant, reply: @Sendable (TalkSum) -> Void)
}

extension ReactorContext {
  /// Does what the admin plane asks.
  func carryOut(_ order: ConnectionOrder) {
    switch order {
    case .select(let empty, let reply):
      var selection = empty
      sweep {
        selection.consider($0)
      } finish: {
        reply(selection)
      }
    case .name(let filter, let now, let reply):
      var ids: [ConnectionID] = []
      sweep { connection in
        if connection.tunnel.ending == nil, filter.matches(connection, now: now) { ids.append(connection.id) }
      } finish: {
        reply(ids)
      }
    case .describe(let ids, let reply):
      var summaries: [ConnectionSummary] = []
      sweep(ids) {
        summaries.append($0.summary)
      } finish: {
        reply(summaries)
      }
    case .close(let id, let code, let reason, let reply):
      let tunnel = connections[id]?.tunnel
      tunnel?.close(code, reason: reason)
      reply(tunnel != nil)
    case .closeAll(let ids, let job, let perSecond, let reply):
      ClosingRun.begin(job, ids, perSecond: perSecond, context: self, finish: reply)
    case .throttle(let id, let throttle, let reply):
      connections[id]?.tunnel?.setThrottle(throttle)
      reply(connections[id]?.openConnection?.summary)
    case .talkers(let subject, let now, let reply):
      sum(by: subject, now: now, reply)
    }
  }

  private func sum(by subject: TopQuery.Subject, now: Instant, _ reply: @escaping @Sendable (TalkSum) -> Void) {
    var sum = TalkSum(subject, since: talkHistory.base(now: now), now: now)
    sweep {
      sum.add($0)
    } finish: { [self] in
      talkHistory.keep(sum.look)
      reply(sum)
    }
  }

  /// Looks at the WebSockets of these connections, or of all that there are by now.
  private func sweep(
    _ ids: [ConnectionID]? = nil, visit: @escaping (OpenConnection) -> Void, finish: @escaping () -> Void
  ) {
    sweeps.begin(ids ?? Array(connections.keys)) { [unowned self] id in
      if let connection = connections[id]?.openConnection { visit(connection) }
    } finish: {
      finish()
    }
  }
}
