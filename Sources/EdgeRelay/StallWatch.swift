public import EdgeCore

/// Judges a slow receiver by its progress, not by how much waits for it.
///
/// A receiver is stalled when, while data waited for it all the time, it took less than `minBytes` within `timeout`.
public struct StallWatch: Sendable {
  private let minBytes: UInt64
  private let timeout: Duration
  private var window: (start: Instant, sentBytes: UInt64)?

  /// Makes a watch over a receiver for which nothing waits.
  ///
  /// - Parameters:
  ///   - minBytes: the least progress within `timeout`, in bytes.
  ///   - timeout: the length of the window.
  public init(minBytes: Int, timeout: Duration) {
    self.minBytes = UInt64(max(0, minBytes))
    self.timeout = timeout
  }

  /// When `isStalled` should be asked next; nil while nothing waits.
  public var nextDeadline: Instant? {
    window.map { $0.start + timeout }
  }

  /// Data waits; `sentBytes` is what the receiver has taken in all its life.
  public mutating func waits(sentBytes: UInt64, now: Instant) {
    if window == nil { window = (now, sentBytes) }
  }

  /// Nothing waits any more.
  public mutating func drained() {
    window = nil
  }

  /// Whether the window has passed without the progress it asks; enough progress begins a new window.
  public mutating func isStalled(sentBytes: UInt64, now: Instant) -> Bool {
    guard let window, now >= window.start + timeout else { return false }
    guard sentBytes - window.sentBytes >= minBytes else { return true }
    self.window = (now, sentBytes)
    return false
  }
}
