public import EdgeCore

/// Many connections that are being closed one after the other, or were.
public struct DisconnectJob: Equatable, Sendable {
  /// Its name.
  public var name: String
  /// How many it is about.
  public var matched: Int
  /// How many it has closed.
  public var closed: Int
  /// How many ended by themselves before their turn came.
  public var gone: Int
  /// When it began.
  public var beganAt: WallTime
  /// When it was through, or was stopped; nil while it goes on.
  public var endedAt: WallTime?

  /// Makes a report.
  public init(name: String, matched: Int, closed: Int, gone: Int, beganAt: WallTime, endedAt: WallTime?) {
    self.name = name
    self.matched = matched
    self.closed = closed
    self.gone = gone
    self.beganAt = beganAt
    self.endedAt = endedAt
  }

  var json: JSON {
    [
      "job": .string(name), "matched": .integer(Int64(matched)), "closed": .integer(Int64(closed)), "gone": .integer(Int64(gone)),
      "remaining": .integer(Int64(max(0, matched - closed - gone))), "done": .bool(endedAt != nil),
      "began_at": .string(beganAt.rfc3339), "ended_at": endedAt.map { .string($0.rfc3339) } ?? .null,
    ]
  }
}

/// What became of an order to close many connections.
public enum BulkDisconnectOutcome: Equatable, Sendable {
  /// So many were meant; nothing was done, for that was not asked for.
  case counted(Int)
  /// They were closed: so many of those that were meant.
  case closed(Int, of: Int)
  /// They are being closed.
  case began(DisconnectJob)
  /// As many orders are being carried out as may.
  case busy(maxJobs: Int)
}
