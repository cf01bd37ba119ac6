/// A moment as both clocks tell it: people read the one on the wall, and how long ago it was says the other, which nobody sets.
public struct Moment: Hashable, Sendable {
  /// What the monotonic clock showed.
  public var instant: Instant
  /// What the clock on the wall showed.
  public var wallTime: WallTime

  /// Makes a moment of what both clocks showed.
  public init(instant: Instant, wallTime: WallTime) {
    self.instant = instant
    self.wallTime = wallTime
  }

  /// The moment `duration` before this one, by both clocks.
  public func earlier(by duration: Duration) -> Moment {
    Moment(
      instant: Instant(nanoseconds: instant.nanoseconds - min(instant.nanoseconds, UInt64(max(0, duration.nanoseconds)))),
      wallTime: wallTime.adding(.zero - duration))
  }
}
