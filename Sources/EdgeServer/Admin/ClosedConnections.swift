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
struct ClosedConnection: ListedConnection {
  let id: ConnectionID
  private let listener: String
  let route: String
  let worker: String
  let user: String?
  let clientAddress: IPAddress?
  let origin: String?
  private let clientProtocol: ClientProtocol
  private let tlsVersion: TLSVersion?
  let opened: Moment
  let lastMessage: Instant
  private let closed: Moment
  let received: ConnectionSummary.Traffic
  let sent: ConnectionSummary.Traffic
  private let code: UInt16
  private let initiator: Initiator
  private let reason: String

  init(_ connection: OpenConnection, _ ending: RelayEnding) {
    id = connection.id
    listener = connection.client.listener.name
    route = connection.route
    worker = connection.worker
    user = connection.user
    clientAddress = connection.clientAddress
    origin = connection.origin
    clientProtocol = connection.client.clientProtocol
    tlsVersion = connection.client.tlsVersion
    opened = connection.opened
    lastMessage = connection.lastMessage
    closed = .now()
    received = connection.received
    sent = connection.sent
    code = ending.code.rawValue
    initiator = ending.initiator
    reason = ending.reason
  }

  var ended: Instant? { closed.instant }
  var queuedBytes: Int { 0 }
  var isThrottled: Bool { false }

  /// All that is shown of it.
  var summary: ConnectionSummary {
    var summary = ConnectionSummary(
      id: id, listener: listener, route: route, worker: worker, user: user, clientAddress: clientAddress, origin: origin,
      clientProtocol: clientProtocol.word, tlsVersion: tlsVersion?.shortName, opened: opened)
    summary.state = .closed
    summary.lastMessage = lastMessage
    summary.received = received
    summary.sent = sent
    summary.end = .init(at: closed, code: code, reason: reason, initiator: initiator)
    return summary
  }
}

extension Sequence<ClosedConnection> {
  /// All that is shown of those that have these names.
  func summaries(of ids: Set<ConnectionID>) -> [ConnectionSummary] {
    ids.isEmpty ? [] : filter { ids.contains($0.id) }.map(\.summary)
  }
}
