import EdgeCore
import EdgeTelemetry

/// Messages that are timed on their way through the edge, and wait for a slow peer to take them.
struct PendingTransits {
  private var received: [Transit: Instant] = [:]

  /// A message that was received at `time` waits for the peer; of several of one connection the first counts.
  mutating func waits(_ direction: MessageDirection, of connection: ConnectionID, since time: Instant) {
    let transit = Transit(connection: connection, direction: direction)
    if received[transit] == nil { received[transit] = time }
  }

  /// The peer has taken all that waited for it.
  ///
  /// - Returns: when that was received, if it is timed.
  mutating func drained(_ direction: MessageDirection, of connection: ConnectionID) -> Instant? {
    received.isEmpty ? nil : received.removeValue(forKey: Transit(connection: connection, direction: direction))
  }

  /// The connection has ended: what waits for it never gets through.
  mutating func forget(_ connection: ConnectionID) {
    for direction in MessageDirection.allCases { _ = drained(direction, of: connection) }
  }
}

/// One way through a connection.
private struct Transit: Hashable {
  let connection: ConnectionID
  let direction: MessageDirection
}
