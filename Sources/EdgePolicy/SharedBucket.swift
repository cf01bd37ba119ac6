public import EdgeCore
internal import Synchronization

/// The state of one rate limit that connections on all reactors charge: one atomic word, no lock.
///
/// What the limit is comes with each call, so that a limit may change while its state goes on.
///
/// It stands in the object of whoever has it, and is never copied: an object of its own would be retained and released for each
/// charge, which cost an echo under three scopes 240 user instructions (`scripts/bench --parts checks`).
public struct SharedBucket: ~Copyable, Sendable {
  private let word = Atomic<UInt64>(0)

  /// Makes a full bucket.
  public init() {}

  /// Charges `cost` units if they fit; of several callers at once exactly as many get through as there is room for.
  public func charge(_ cost: UInt64, of limit: GCRA, now: Instant) -> GCRA.Verdict {
    while !take(cost, of: limit, now: now) {
      let verdict = verdict(on: cost, of: limit, now: now)
      if verdict != .allowed { return verdict }
    }
    return .allowed
  }

  /// Charges `cost` units if they fit, like `charge`; says only whether they did.
  @inline(__always)
  func take(_ cost: UInt64, of limit: GCRA, now: Instant) -> Bool {
    var seen = word.load(ordering: .relaxed)
    while let charged = limit.wordAfter(seen, cost: cost, now: now) {
      let (exchanged, current) = word.weakCompareExchange(expected: seen, desired: charged, ordering: .relaxed)
      if exchanged { return true }
      seen = current
    }
    return false
  }

  /// What `charge` would say, without a charge.
  public func verdict(on cost: UInt64, of limit: GCRA, now: Instant) -> GCRA.Verdict {
    limit.charge(word.load(ordering: .relaxed), cost: cost, now: now).verdict
  }

  /// Takes `cost` units whether they fit or not; those who reserve get their turns in the order of their calls.
  ///
  /// - Returns: how long the caller has to wait.
  public func reserve(_ cost: UInt64, of limit: GCRA, now: Instant) -> Duration {
    update { limit.reserve($0, cost: cost, now: now) }
  }

  /// Takes back what was charged or reserved and not used.
  public func refund(_ cost: UInt64, of limit: GCRA) {
    update { (limit.refund($0, cost: cost), ()) }
  }

  /// Whether nothing of the bucket is used: a new one would say the same.
  public func isFull(now: Instant) -> Bool {
    GCRA.isFull(word.load(ordering: .relaxed), now: now)
  }

  /// When nothing of the bucket will be used any more, if nobody charges it.
  public var fullAt: Instant { Instant(nanoseconds: word.load(ordering: .relaxed)) }

  private func update<Result>(_ change: (UInt64) -> (word: UInt64, Result)) -> Result {
    var seen = word.load(ordering: .relaxed)
    while true {
      let (changed, result) = change(seen)
      let (exchanged, current) = word.weakCompareExchange(expected: seen, desired: changed, ordering: .relaxed)
      if exchanged { return result }
      seen = current
    }
  }
}

/// What all connections of one address, or of one user, have used of their message limits.
public final class SharedMeter: Sendable {
  /// Messages by count.
  public let messages = SharedBucket()
  /// Messages by payload bytes.
  public let bytes = SharedBucket()

  /// Makes the state of an address or a user that nobody has heard of.
  public init() {}

  /// Whether nothing is used, so that the state need not be kept.
  public func isFull(now: Instant) -> Bool {
    messages.isFull(now: now) && bytes.isFull(now: now)
  }

  /// When nothing will be used any more, if nobody charges it.
  public var fullAt: Instant { max(messages.fullAt, bytes.fullAt) }
}
