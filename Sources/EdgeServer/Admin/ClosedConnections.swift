import EdgeAdmin
import EdgeAuth
import EdgeCore
import EdgeIO
import EdgeRelay
import EdgeTLS
import EdgeTelemetry
import EdgeWebSocket

/// The last WebSockets that have ended, of all reactors, for the admin plane.
typealias ClosedConnections = Latest<ClosedConnection>

extension ClosedConnections {
  /// Keeps as many as the admin plane promises.
  convenience init() { self.init(10_000) }
}

/// A WebSocket that has ended. Its texts share their storage with those of others.
struct ClosedConnection {
  let id: ConnectionID
  private let listener: String
  private let route: String
  private let worker: String
  private let user: String?
  private let address: IPAddress?
  private let origin: String?
  private let clientProtocol: ClientProtocol
  private let tlsVersion: TLSVersion?
  private let openedAt: WallTime
  private let lastMessageAt: WallTime
  private let closedAt: WallTime
  private let received: Traffic
  private let sent: Traffic
  private let code: UInt16
  private let initiator: Initiator
  private let reason: String

  init(_ client: Client, _ tunnel: Tunnel, _ ending: RelayEnding) {
    id = client.id
    listener = client.listener.name
    route = tunnel.route.name
    worker = tunnel.workerPath
    user = tunnel.caller.user?.subject
    address = tunnel.caller.address
    origin = tunnel.caller.origin
    clientProtocol = client.clientProtocol
    tlsVersion = client.tlsVersion
    openedAt = tunnel.openedAt
    lastMessageAt = tunnel.lastMessageAt
    closedAt = WallClock.now()
    received = tunnel.received
    sent = tunnel.sent
    code = ending.code.rawValue
    initiator = ending.initiator
    reason = ending.reason
  }

  var summary: ConnectionSummary {
    var summary = ConnectionSummary(
      id: id, listener: listener, route: route, worker: worker, user: user, clientAddress: address, origin: origin,
      clientProtocol: clientProtocol.word, tlsVersion: tlsVersion?.shortName, openedAt: openedAt)
    summary.state = .closed
    summary.lastMessageAt = lastMessageAt
    summary.received = .init(messages: received.messages, bytes: received.payloadBytes)
    summary.sent = .init(messages: sent.messages, bytes: sent.payloadBytes)
    summary.end = .init(at: closedAt, code: code, reason: reason, initiator: initiator)
    return summary
  }
}
