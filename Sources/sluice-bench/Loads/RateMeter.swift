import EdgeCore

/// How fast a count grows, for the progress line.
struct RateMeter {
  private var last = (time: Instant(nanoseconds: 0), count: 0)

  /// How much a second it has grown since the last call; 0 the first time.
  mutating func perSecond(_ count: Int, now: Instant) -> Int {
    defer { last = (now, count) }
    guard last.time.nanoseconds > 0, now > last.time else { return 0 }
    return Int(Double(count - last.count) / (now - last.time).inSeconds)
  }
}
