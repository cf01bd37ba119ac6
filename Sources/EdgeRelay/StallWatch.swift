public import EdgeCore

/// Judges a slow receiver by its progress, not by how much waits for it.
///
/// A receiver is stalled when, while data waited for it all the time, it took less than `minBytes` within `timeout`.
public struct StallWatch: Sendable {
  private var limits: Shared<StallLimits>
  /// When the window began; `distantFuture` while nothing waits.
  private var windowStart = Instant.distantFuture
  /// What the receiver had taken by then.
  private var sentBefore: UInt64 = 0

  /// Makes a watch over a receiver for which nothing waits.
  public init(_ limits: Shared<StallLimits>) {
    self.limits = limits
  }

  /// Other limits hold from now on, for a window that has begun too.
  public mutating func adopt(_ limits: Shared<StallLimits>) {
    self.limits = limits
  }

  /// When `isStalled` should be asked next; nil while nothing waits.
  public var nextDeadline: Instant? {
    windowStart == .distantFuture ? nil : windowStart + limits.value.timeout
  }

  /// Data waits; `sentBytes` is what the receiver has taken in all its life.
  public mutating func waits(sentBytes: UInt64, now: Instant) {
    guard windowStart == .distantFuture else { return }
    beginWindow(sentBytes: sentBytes, now: now)
  }

  /// Nothing waits any more.
  public mutating func drained() {
    windowStart = .distantFuture
  }

  /// Whether the window has passed without the progress it asks; enough progress begins a new window.
  public mutating func isStalled(sentBytes: UInt64, now: Instant) -> Bool {
    guard let nextDeadline, now >= nextDeadline else { return false }
    guard sentBytes - sentBefore >= limits.value.minBytes else { return true }
    beginWindow(sentBytes: sentBytes, now: now)
    return false
  }

  private mutating func beginWindow(sentBytes: UInt64, now: Instant) {
    windowStart = now
    sentBefore = sentBytes
  }
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
