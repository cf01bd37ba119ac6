import EdgeAdmin
import EdgeAuth
import EdgeCore
import EdgeTLS
import EdgeTelemetry

/// A WebSocket that goes on, as the admin plane looks at it.
struct OpenConnection: ListedConnection {
  let client: Client
  let tunnel: Tunnel

  var id: ConnectionID { client.id }
  var user: String? { tunnel.caller.user?.subject }
  var clientAddress: IPAddress? { tunnel.caller.address }
  var route: String { tunnel.route.name }
  var worker: String { tunnel.workerPath }
  var origin: String? { tunnel.caller.origin }
  var opened: Moment { tunnel.opened }
  var lastMessage: Instant { tunnel.lastMessage }
  var ended: Instant? { nil }
  var received: ConnectionSummary.Traffic { tunnel.received.summary }
  var sent: ConnectionSummary.Traffic { tunnel.sent.summary }
  var queuedBytes: Int { tunnel.waitingBytes }
  var isThrottled: Bool { tunnel.isBeyondLimit }

  /// All that is shown of it.
  var summary: ConnectionSummary {
    var summary = ConnectionSummary(
      id: id, listener: client.listener.name, route: route, worker: worker, user: user, clientAddress: clientAddress,
      origin: origin, clientProtocol: client.clientProtocol.word, tlsVersion: client.tlsVersion?.shortName, opened: opened)
    summary.state = tunnel.ending == nil ? .open : .closing
    summary.lastMessage = lastMessage
    summary.received = received
    summary.sent = sent
    summary.queuedBytes = queuedBytes
    summary.isThrottled = isThrottled
    summary.throttle = tunnel.throttle.map { ConnectionThrottle(rates: $0.value.rates, until: $0.value.until) }
    return summary
  }
}

extension Client {
  /// The client as the admin plane looks at it, if it has a WebSocket.
  var openConnection: OpenConnection? { tunnel.map { OpenConnection(client: self, tunnel: $0) } }
}

extension Traffic {
  /// The same as the admin plane tells it.
  var summary: ConnectionSummary.Traffic { .init(messages: messages, bytes: payloadBytes) }
}
