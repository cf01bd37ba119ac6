import EdgeAdmin
import EdgeAuth
import EdgeCore
import EdgeIO
import EdgeRelay
import EdgeTLS
import EdgeTelemetry
import EdgeWebSocket

/// The last WebSockets that have ended, of all reactors, for the admin plane.
///
/// A reactor adds one under a lock that is held for a few instructions. Whoever looks gets them by reference, in blocks of which at
/// most the last is ever copied for it: no reactor waits while the others are sorted and printed.
final class ClosedConnections: Sendable {
  private let blocks = Guarded([[ClosedConnection]]())

  /// How many are kept at least, once there were so many.
  static let capacity = 10_000
  private static let blockSize = 250

  /// Keeps one, and forgets the oldest if there are too many.
  func add(_ connection: ClosedConnection) {
    blocks.withLock { blocks in
      if blocks.last.map({ $0.count == Self.blockSize }) ?? true {
        var block: [ClosedConnection] = []
        block.reserveCapacity(Self.blockSize)
        blocks.append(block)
      }
      blocks[blocks.count - 1].append(connection)
      if blocks.count > Self.capacity / Self.blockSize + 1 { blocks.removeFirst() }
    }
  }

  /// The last ones, `capacity` at most, the latest first.
  var latest: some Sequence<ClosedConnection> {
    blocks.withLock { $0 }.reversed().lazy.flatMap { $0.reversed() }.prefix(Self.capacity)
  }
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
