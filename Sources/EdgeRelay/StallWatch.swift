public import EdgeCore

/// Judges a slow receiver by its progress, not by how much waits for it.
///
/// A receiver is stalled when, while data waited for it all the time, it took less than `minBytes` within `timeout`.
///
/// One word as long as nothing waits: a tunnel has two of these for all its life (`scripts/bench --parts memory`).
public struct StallWatch: ~Copyable {
  private var window: Window?

  /// Makes a watch over a receiver for which nothing waits.
  public init() {}

  /// Other limits hold from now on, for a window that has begun.
  public mutating func adopt(_ limits: Shared<StallLimits>) {
    window?.limits = limits
  }

  /// When `isStalled` should be asked next; nil while nothing waits.
  public var nextDeadline: Instant? { window?.end }

  /// Data waits; `sentBytes` is what the receiver has taken in all its life.
  ///
  /// - Parameter limits: hold until nothing waits any more.
  public mutating func waits(sentBytes: UInt64, limits: Shared<StallLimits>, now: Instant) {
    guard window == nil else { return }
    window = Window(start: now, sentBefore: sentBytes, limits: limits)
  }

  /// Nothing waits any more.
  public mutating func drained() {
    window = nil
  }

  /// Whether the window has passed without the progress it asks; enough progress begins a new window.
  public mutating func isStalled(sentBytes: UInt64, now: Instant) -> Bool {
    guard let window, now >= window.end else { return false }
    guard sentBytes - window.sentBefore >= window.limits.value.minBytes else { return true }
    window.start = now
    window.sentBefore = sentBytes
    return false
  }
}

/// A time in which progress is asked of a receiver.
private final class Window {
  var start: Instant
  /// What the receiver had taken by then.
  var sentBefore: UInt64
  var limits: Shared<StallLimits>

  init(start: Instant, sentBefore: UInt64, limits: Shared<StallLimits>) {
    self.start = start
    self.sentBefore = sentBefore
    self.limits = limits
  }

  var end: Instant { start + limits.value.timeout }
}

/// The progress that is asked of a slow receiver, the same for many.
public struct StallLimits: Sendable {
  let minBytes: UInt64
  let timeout: Duration

  /// Makes limits.
  ///
  /// - Parameters:
  ///   - minBytes: the least progress within `timeout`, in bytes.
  ///   - timeout: the length of the window.
  public init(minBytes: Int, timeout: Duration) {
    self.minBytes = UInt64(max(0, minBytes))
    self.timeout = timeout
  }
}
