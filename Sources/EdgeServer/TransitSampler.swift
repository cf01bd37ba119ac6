import EdgeCore
import EdgeTelemetry
import Synchronization

/// Chooses the turns whose messages are timed on their way through the edge, about one in 64, and remembers those that wait for a
/// slow peer. To read the clock for each message would cost as much as some of the work on it.
///
/// Chance decides which, so that no rhythm of the clients, such as rooms of 64, hides some of them.
final class TransitSampler {
  /// Turns that pass before the next one is timed. One thread uses it: it is atomic because that, unlike a variable of a class, is
  /// read without a check for exclusive access.
  private let turnsToSkip = Atomic<Int>(0)
  /// A linear congruential generator (Knuth, MMIX): nobody gains by guessing it.
  private var generator: UInt64 = 1
  private var waiting: [Transit: Instant] = [:]

  /// Whether a turn is to be timed; ask once for each that forwarded a whole message.
  func isChosen() -> Bool {
    let left = turnsToSkip.load(ordering: .relaxed)
    guard left == 0 else {
      turnsToSkip.store(left - 1, ordering: .relaxed)
      return false
    }
    generator = generator &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    turnsToSkip.store(Int(generator >> 57), ordering: .relaxed)
    return true
  }

  /// What the turn forwarded waits for the peer; of several turns of one connection the first counts.
  func waits(_ direction: MessageDirection, of connection: ConnectionID, received: Instant) {
    let transit = Transit(connection: connection, direction: direction)
    if waiting[transit] == nil { waiting[transit] = received }
  }

  /// The peer has taken all that waited for it.
  ///
  /// - Returns: when that was received, if it is timed.
  func drained(_ direction: MessageDirection, of connection: ConnectionID) -> Instant? {
    waiting.isEmpty ? nil : waiting.removeValue(forKey: Transit(connection: connection, direction: direction))
  }

  /// The connection has ended: what waits for it never gets through.
  func forget(_ connection: ConnectionID) {
    for direction in MessageDirection.allCases { _ = drained(direction, of: connection) }
  }
}

/// One way through a connection.
private struct Transit: Hashable {
  let connection: ConnectionID
  let direction: MessageDirection
}
