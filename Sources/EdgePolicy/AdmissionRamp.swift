public import EdgeCore

/// How fast the whole edge takes new connections: the setting `limits.handshakes`. Shared by all reactors, without a lock.
///
/// Whoever comes faster than the rate gets a slot, one after the other, and waits for it. Refusals cost cryptography too, so that
/// they have a bucket of their own at the same rate: the edge never does more than twice its rate.
public final class AdmissionRamp: Sendable {
  private let limit: GCRA
  private let queueTimeout: Duration
  private let admissions = SharedBucket()
  private let refusals = SharedBucket()

  /// Makes a ramp of `count` connections in `period`, of which a tenth of a second's worth may come at once.
  ///
  /// - Parameters:
  ///   - count: at least one.
  ///   - period: longer than zero.
  ///   - queueTimeout: the longest that somebody waits.
  public init?(count: Int, per period: Duration, queueTimeout: Duration) {
    guard count > 0, period > .zero else { return nil }
    let burst = Double(count) * (burstTime.inSeconds / period.inSeconds)
    guard let limit = GCRA(units: UInt64(count), per: period, burst: UInt64(min(max(1, burst), maxBurst))) else { return nil }
    self.limit = limit
    self.queueTimeout = queueTimeout
  }

  /// What a new connection meets.
  public enum Verdict: Hashable, Sendable {
    /// It begins now, or at a slot that is its own.
    case begins(at: Instant)
    /// It would wait longer than the timeout, which is over after so long.
    case tooLate(retryAfter: Duration)
  }

  /// Gives a new connection its slot.
  public func reserveSlot(now: Instant) -> Verdict {
    let wait = admissions.reserve(1, of: limit, now: now)
    guard wait > queueTimeout else { return .begins(at: now + wait) }
    admissions.refund(1, of: limit)
    return .tooLate(retryAfter: wait - queueTimeout)
  }

  /// Whether one more refusal may be worth its cryptography.
  public func chargeRefusal(now: Instant) -> Bool {
    refusals.charge(1, of: limit, now: now) == .allowed
  }
}

private let burstTime = Duration.milliseconds(100)
private let maxBurst = 1e12
