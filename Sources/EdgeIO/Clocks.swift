public import EdgeCore
internal import Glibc

/// The clock that only goes forward: for deadlines and durations.
public enum MonotonicClock {
  /// This moment; two threads see the same clock. Costs about 20 ns, no system call.
  public static func now() -> Instant {
    Instant(nanoseconds: UInt64(nanoseconds(of: CLOCK_MONOTONIC)))
  }
}

/// The clock on the wall, which may be set back: for token lifetimes and log lines.
public enum WallClock {
  /// This moment in UTC.
  public static func now() -> WallTime {
    WallTime(nanoseconds: nanoseconds(of: CLOCK_REALTIME))
  }
}

extension Moment {
  /// This moment.
  public static func now() -> Moment {
    Moment(instant: MonotonicClock.now(), wallTime: WallClock.now())
  }
}

private func nanoseconds(of clock: clockid_t) -> Int64 {
  var time = timespec()
  unsafe clock_gettime(clock, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
