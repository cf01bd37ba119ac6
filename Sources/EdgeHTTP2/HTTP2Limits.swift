/// What one connection of HTTP/2 may hold.
public enum HTTP2Limits {
  /// The most streams that may be open at a time: more than a browser opens, and a hundred tabs.
  public static let maxStreams = 128
  /// How much a client may send on a stream before any of it is used: what a slow worker can make the edge keep.
  public static let streamWindowBytes = 65_536
  /// How much on all streams together: sixteen may be stuck before others are held.
  public static let connectionWindowBytes = 1_048_576

  /// How many answers to PING and SETTINGS may wait for a client that does not read.
  static let maxUnreadAnswers = 128
  /// How many frames the head of a request may go on in: as many as the largest head fills, and some to spare.
  static let maxContinuations = 8
  /// The library's own limit on requests that are taken back; `FloodBudget` comes first.
  static let resetBurst: UInt64 = 400
  static let resetsPerSecond: UInt64 = 33
}
