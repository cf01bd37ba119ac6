internal import EdgePolicy

/// What one connection of HTTP/2 may hold.
public enum HTTP2Limits {
  /// The most streams that may be open at a time: more than a browser opens, and a hundred tabs.
  public static let maxStreams = 128
  /// How much a client may send on a stream before any of it is used: what a slow worker can make the edge keep.
  public static let streamWindowBytes = 65_536
  /// How much on all streams together: sixteen may be stuck before others are held.
  public static let connectionWindowBytes = 1_048_576
}

/// What is too much of what carries nothing, on one connection of HTTP/2: a client that sends more floods it.
public struct FloodLimits: Sendable {
  /// What frames are charged to; nil charges none.
  let budget: FloodBudget?
  /// How many answers to PING and SETTINGS may wait for a client that does not read.
  let maxUnreadAnswers: Int
  /// How many frames the head of a request may go on in: as many as the largest head fills, and some to spare.
  let maxContinuations: Int
  /// The library's own limit on requests that are taken back; the budget comes first.
  let resetBurst: UInt64
  let resetsPerSecond: UInt64

  /// What every client is held to.
  public static let usual = FloodLimits(
    budget: FloodBudget(), maxUnreadAnswers: 128, maxContinuations: 8, resetBurst: 400, resetsPerSecond: 33)

  /// Nothing at all. Tests show with it that it is the limits that a flood meets.
  public static let none = FloodLimits(
    budget: nil, maxUnreadAnswers: .max, maxContinuations: .max, resetBurst: .max, resetsPerSecond: 0)
}
