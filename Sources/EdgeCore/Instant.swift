/// A moment on the monotonic clock, in nanoseconds since an arbitrary start.
///
/// Pure code never reads a clock: it is handed an `Instant` as `now`.
public struct Instant: Hashable, Comparable, Sendable {
  /// Nanoseconds since the clock's start.
  public var nanoseconds: UInt64

  /// Makes the instant that lies `nanoseconds` after the clock's start.
  public init(nanoseconds: UInt64) {
    self.nanoseconds = nanoseconds
  }

  /// Later than every instant that a clock will show.
  public static let distantFuture = Instant(nanoseconds: .max)

  /// Whether `lhs` is before `rhs`.
  public static func < (lhs: Instant, rhs: Instant) -> Bool {
    lhs.nanoseconds < rhs.nanoseconds
  }

  /// The instant `duration` later, at most `distantFuture`.
  public static func + (instant: Instant, duration: Duration) -> Instant {
    let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(UInt64(max(0, duration.nanoseconds)))
    return overflow ? .distantFuture : Instant(nanoseconds: sum)
  }

  /// The time from `earlier` to `later`; negative when they are the other way round.
  public static func - (later: Instant, earlier: Instant) -> Duration {
    .nanoseconds(Int64(clamping: later.nanoseconds) - Int64(clamping: earlier.nanoseconds))
  }
}

extension Duration {
  /// The whole duration in nanoseconds, held at the ends of `Int64`.
  public var nanoseconds: Int64 { Int64(clamping: attoseconds / 1_000_000_000) }

  /// A part of the duration, in whole nanoseconds. The library's own operator is for every kind of number, and takes 630 user
  /// instructions (`scripts/bench --parts instructions`).
  public static func / (duration: Duration, divisor: Int) -> Duration {
    .nanoseconds(duration.nanoseconds / Int64(divisor))
  }

  /// How many whole `unit`s cover the duration: rounded up, 0 for what is not positive.
  ///
  /// - Parameter unit: longer than zero.
  public func roundedUp(to unit: Duration) -> Int64 {
    let (whole, rest) = max(0, nanoseconds).quotientAndRemainder(dividingBy: unit.nanoseconds)
    return whole + (rest == 0 ? 0 : 1)
  }

  /// The duration in seconds, for metrics and logs.
  public var inSeconds: Double {
    Double(nanoseconds) / 1e9
  }
}

/// A moment of civil time, in nanoseconds since 1970-01-01 UTC: for token lifetimes and log lines.
public struct WallTime: Hashable, Comparable, Sendable {
  /// Nanoseconds since 1970-01-01T00:00:00Z.
  public var nanoseconds: Int64

  /// Makes the moment `nanoseconds` after 1970-01-01T00:00:00Z.
  public init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  /// Makes the moment `seconds` after 1970-01-01T00:00:00Z, held at the ends of the range.
  public init(seconds: Int64) {
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    nanoseconds = overflow ? (seconds < 0 ? .min : .max) : product
  }

  /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
  public var seconds: Int64 {
    let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    return rest < 0 ? seconds - 1 : seconds
  }

  /// The time from `earlier` to `later`, held at the ends of the range; negative when they are the other way round.
  public static func - (later: WallTime, earlier: WallTime) -> Duration {
    let (difference, overflow) = later.nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
    return .nanoseconds(overflow ? (later < earlier ? .min : .max) : difference)
  }

  /// The moment `duration` later, held at the ends of the range.
  public func adding(_ duration: Duration) -> WallTime {
    let (sum, overflow) = nanoseconds.addingReportingOverflow(duration.nanoseconds)
    return WallTime(nanoseconds: overflow ? (duration < .zero ? .min : .max) : sum)
  }

  /// Whether `lhs` is before `rhs`.
  public static func < (lhs: WallTime, rhs: WallTime) -> Bool {
    lhs.nanoseconds < rhs.nanoseconds
  }
}
