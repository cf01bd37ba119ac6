/// Notices that the clock on the wall was set, or stood still while the machine slept: what was reckoned from it holds no more.
public struct ClockWatch: Sendable {
  /// How far the two clocks may drift apart before it matters.
  public static let tolerance = Duration.seconds(1)

  private var since: Instant
  private var wallThen: WallTime

  /// Begins to watch.
  public init(now: Instant, wall: WallTime) {
    since = now
    wallThen = wall
  }

  /// By how much the clock on the wall has left the monotonic one behind since this was last not nil; nil within the tolerance.
  public mutating func step(now: Instant, wall: WallTime) -> Duration? {
    let step = wall - wallThen.adding(now - since)
    guard step > Self.tolerance || step < .zero - Self.tolerance else { return nil }
    self = ClockWatch(now: now, wall: wall)
    return step
  }
}
