import EdgeAdmin
import EdgeAuth
import EdgeCore
import EdgeIO
import EdgePolicy
import EdgeTLS
import EdgeTelemetry
import EdgeWebSocket

/// What the admin plane asks of a reactor about its WebSockets. Each reply is called once, on the reactor's thread; none where the
/// reactor stops before.
enum ConnectionOrder: Sendable {
  /// Select for a page.
  case select(ConnectionSelection, reply: @Sendable (ConnectionSelection) -> Void)
  /// Name those that a filter means.
  case name(ConnectionFilter, now: WallTime, reply: @Sendable ([ConnectionID]) -> Void)
  /// Tell of one.
  case describe(ConnectionID, reply: @Sendable (ConnectionSummary?) -> Void)
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
      ConnectionSweep.begin(self) { client, tunnel in
        selection.consider(ConnectionSummary(client, tunnel))
      } finish: {
        reply(selection)
      }
    case .name(let filter, let now, let reply):
      var ids: [ConnectionID] = []
      ConnectionSweep.begin(self) { client, tunnel in
        if tunnel.ending == nil, filter.matches(ConnectionSummary(client, tunnel), now: now) { ids.append(client.id) }
      } finish: {
        reply(ids)
      }
    case .describe(let id, let reply):
      reply(summary(id))
    case .close(let id, let code, let reason, let reply):
      let tunnel = connections[id]?.tunnel
      tunnel?.close(code, reason: reason)
      reply(tunnel != nil)
    case .closeAll(let ids, let job, let perSecond, let reply):
      ClosingRun.begin(job, ids, perSecond: perSecond, context: self, finish: reply)
    case .throttle(let id, let throttle, let reply):
      connections[id]?.tunnel?.setThrottle(throttle)
      reply(summary(id))
    case .talkers(let subject, let now, let reply):
      sum(by: subject, now: now, reply)
    }
  }

  private func summary(_ id: ConnectionID) -> ConnectionSummary? {
    connections[id].flatMap { client in client.tunnel.map { ConnectionSummary(client, $0) } }
  }

  private func sum(by subject: TopQuery.Subject, now: Instant, _ reply: @escaping @Sendable (TalkSum) -> Void) {
    var sum = TalkSum(subject, since: talkHistory.base(now: now), now: now)
    ConnectionSweep.begin(self) { client, tunnel in
      sum.add(client.id, tunnel)
    } finish: { [self] in
      talkHistory.keep(sum.look)
      reply(sum)
    }
  }
}

extension ConnectionSummary {
  /// A WebSocket as the admin plane shows it.
  init(_ client: Client, _ tunnel: Tunnel) {
    self.init(
      id: client.id, listener: client.listener.name, route: tunnel.route.name, worker: tunnel.workerPath,
      user: tunnel.caller.user?.subject, clientAddress: tunnel.caller.address, origin: tunnel.caller.origin,
      clientProtocol: client.clientProtocol.word, tlsVersion: client.tlsVersion?.shortName, openedAt: tunnel.openedAt)
    state = tunnel.ending == nil ? .open : .closing
    lastMessageAt = tunnel.lastMessageAt
    received = Traffic(messages: tunnel.received.messages, bytes: tunnel.received.payloadBytes)
    sent = Traffic(messages: tunnel.sent.messages, bytes: tunnel.sent.payloadBytes)
    queuedBytes = tunnel.waitingBytes
    isThrottled = tunnel.isBeyondLimit
    throttle = tunnel.throttle.map { ConnectionThrottle(rates: $0.value.rates, until: $0.value.until) }
  }
}
