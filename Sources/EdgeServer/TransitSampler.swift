import EdgeCore
import EdgeTelemetry

/// Chooses the turns whose messages are timed on their way through the edge, about one in 64, and remembers those that wait for a
/// slow peer. To read the clock for each message would cost as much as some of the work on it.
///
/// Chance decides which, so that no rhythm of the clients, such as rooms of 64, hides some of them.
struct TransitSampler {
  /// Turns that pass before the next one is timed.
  private var turnsToSkip = 0
  /// A linear congruential generator (Knuth, MMIX): nobody gains by guessing it.
  private var generator: UInt64 = 1
  private var waiting: [Transit: Instant] = [:]

  /// Whether a turn is to be timed; ask once for each that forwarded a whole message.
  mutating func isChosen() -> Bool {
    guard turnsToSkip == 0 else {
      turnsToSkip -= 1
      return false
    }
    generator = generator &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    turnsToSkip = Int(generator >> 57)
    return true
  }

  /// What the turn forwarded waits for the peer; of several turns of one connection the first counts.
  mutating func waits(_ direction: MessageDirection, of connection: ConnectionID, received: Instant) {
    let transit = Transit(connection: connection, direction: direction)
    if waiting[transit] == nil { waiting[transit] = received }
  }

  /// The peer has taken all that waited for it.
  ///
  /// - Returns: when that was received, if it is timed.
  mutating func drained(_ direction: MessageDirection, of connection: ConnectionID) -> Instant? {
    waiting.isEmpty ? nil : waiting.removeValue(forKey: Transit(connection: connection, direction: direction))
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
