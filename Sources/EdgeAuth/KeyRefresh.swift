public import EdgeCore

/// When the key set of an identity provider is fetched, and how long an old one serves. It reads no clock and fetches nothing:
/// it is told what happens, and asked.
///
/// A set is fetched again every `refresh`; after a failure sooner, in steps that double; and for a token whose key is unknown
/// at once. The last is in the hands of strangers, so it is paced, and a name that the provider did not know either is
/// remembered for a while.
public struct KeyRefresh: Sendable {
  private let interval: Duration
  private let staleFor: Duration
  /// When the next fetch is due.
  public private(set) var dueAt: Instant
  /// When a fetch succeeded last.
  public private(set) var lastSuccess: Instant?
  /// How many fetches failed since then.
  public private(set) var failures = 0
  private var isFetching = false
  private var lastDemand: Instant?
  private var unknown: [UnknownKey] = []

  /// A key that the provider's set did not have.
  private struct UnknownKey {
    let id: String?
    let until: Instant
    /// Whether the fetch that it is for has not ended yet.
    var isAwaited = true
  }

  /// Begins; the first fetch is due at once.
  ///
  /// - Parameters:
  ///   - interval: from one fetch to the next.
  ///   - staleFor: a set serves so long after the fetch that brought it, where later fetches fail.
  public init(interval: Duration, staleFor: Duration, now: Instant) {
    self.interval = interval
    self.staleFor = staleFor
    dueAt = now
  }

  /// A fetch begins.
  public mutating func fetchBegan() {
    isFetching = true
  }

  /// The fetch brought a set.
  ///
  /// - Parameter chance: at random from 0 to 1: several edges should not come at the same moment.
  public mutating func fetchSucceeded(now: Instant, chance: Double) {
    isFetching = false
    lastSuccess = now
    failures = 0
    for index in unknown.indices { unknown[index].isAwaited = false }
    dueAt = now + interval * (0.9 + 0.2 * chance)
  }

  /// The fetch failed. Whoever it was for may ask again.
  ///
  /// - Parameter chance: at random from 0 to 1.
  public mutating func fetchFailed(now: Instant, chance: Double) {
    isFetching = false
    failures += 1
    unknown.removeAll(where: \.isAwaited)
    let pause = firstRetryPause * (1 << min(failures - 1, maxDoublings))
    dueAt = now + min(pause, maxRetryPause, interval) * (0.5 + chance)
  }

  /// Somebody's token names a key that the set does not have, or no key where none fits.
  ///
  /// - Returns: whether a fetch is due at once.
  public mutating func missed(_ keyID: String?, now: Instant) -> Bool {
    guard keyID?.utf8.count ?? 0 <= maxKeyIDBytes, !isFetching, dueAt > now else { return false }
    if let lastDemand, now < lastDemand + demandInterval { return false }
    unknown.removeAll { $0.until <= now }
    guard !unknown.contains(where: { $0.id == keyID }), unknown.count < maxUnknownKeys else { return false }
    unknown.append(UnknownKey(id: keyID, until: now + unknownKeyLifetime))
    lastDemand = now
    dueAt = now
    return true
  }

  /// An operator asks for the set as it is now.
  ///
  /// - Returns: whether a fetch is due at once; not if one was asked for a moment ago.
  public mutating func demanded(now: Instant) -> Bool {
    guard !isFetching, dueAt > now, lastDemand.map({ now >= $0 + demandInterval }) ?? true else { return false }
    lastDemand = now
    dueAt = now
    return true
  }

  /// How long ago a fetch succeeded; nil if none ever did.
  public func age(now: Instant) -> Duration? {
    lastSuccess.map { max(.zero, now - $0) }
  }

  /// Whether the set is too old to serve: its time is over, and the provider does not give another one.
  public func isExpired(now: Instant) -> Bool {
    guard let lastSuccess else { return true }
    return failures > 0 && now >= lastSuccess + staleFor
  }

  /// When to look again: the next fetch is due, or the set's time is over.
  public func wakeUp(now: Instant) -> Instant {
    guard let lastSuccess, failures > 0, !isExpired(now: now) else { return dueAt }
    return min(dueAt, lastSuccess + staleFor)
  }
}

/// A stranger's token makes us ask the provider at most so often.
private let demandInterval = Duration.seconds(10)
private let unknownKeyLifetime = Duration.seconds(300)
/// Twice what can come in a lifetime.
private let maxUnknownKeys = 64
private let firstRetryPause = Duration.seconds(1)
private let maxRetryPause = Duration.seconds(300)
private let maxDoublings = 10
