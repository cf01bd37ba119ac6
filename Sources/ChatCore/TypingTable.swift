internal import EdgeCore

/// Who types where, until when. Every process keeps its own and lets entries run out by itself, so a lost "stopped" is harmless.
struct TypingTable {
  private var deadlines: [Presence: Instant] = [:]

  /// Whether nobody types.
  var isEmpty: Bool { deadlines.isEmpty }

  /// Notes that a user types until `deadline`.
  ///
  /// - Returns: whether that is news.
  mutating func began(_ presence: Presence, until deadline: Instant) -> Bool {
    deadlines.updateValue(deadline, forKey: presence) == nil
  }

  /// Notes that a user stopped.
  ///
  /// - Returns: whether that is news.
  mutating func stopped(_ presence: Presence) -> Bool {
    deadlines.removeValue(forKey: presence) != nil
  }

  /// Takes out those whose time has come.
  mutating func expire(now: Instant) -> [Presence] {
    let expired = deadlines.filter { $0.value <= now }.map(\.key)
    for presence in expired { deadlines[presence] = nil }
    return expired
  }

  /// Forgets everybody in a room.
  mutating func forget(_ room: RoomName) {
    deadlines = deadlines.filter { $0.key.room != room }
  }
}
