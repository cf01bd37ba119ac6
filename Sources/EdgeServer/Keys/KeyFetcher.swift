import EdgeAuth
import EdgeConfig
import EdgeCore
import EdgeFetch
import EdgeIO
import EdgeTelemetry
import Synchronization

/// Keeps a ring's keys as fresh as the set that an identity provider serves, on a thread of its own: no reactor ever waits for
/// the provider.
///
/// What the provider serves is the truth: a key that its set no longer has is gone at once. Where it serves no set at all, the
/// old keys stay until their time is over, and then there are none.
final class KeyFetcher: Sendable {
  let ring: KeyRing
  private let source: Configuration.RemoteKeys
  private let refresh: Guarded<KeyRefresh>
  private let orders: Mailbox<FetchOrder>
  private let isStopping = Atomic(false)
  private let thread = Guarded<PlatformThread?>(nil)

  init(_ source: Configuration.RemoteKeys, ring: KeyRing, now: Instant) throws(SystemError) {
    self.source = source
    self.ring = ring
    refresh = Guarded(KeyRefresh(interval: source.refresh, staleFor: source.staleFor, now: now))
    orders = try Mailbox()
  }

  /// Begins to fetch, and waits until each provider has answered, or has had its time: who asks, not the clients that come first,
  /// should find out that one is down.
  static func start(_ fetchers: [KeyFetcher], log: EdgeLog) throws {
    let attempts = try Answers<Void>()
    for fetcher in fetchers { try fetcher.start(log: log) { attempts.add(()) } }
    guard !fetchers.isEmpty else { return }
    _ = try? attempts.wait(for: fetchers.count, patience: .seconds(15))
  }

  /// Starts the thread.
  ///
  /// - Parameter firstAttempt: called when the first fetch has ended, well or not.
  private func start(log: EdgeLog, firstAttempt: @escaping @Sendable () -> Void) throws(SystemError) {
    let thread = try PlatformThread.start("keys") {
      do throws(SystemError) {
        let loop = try FetchLoop(self, orders: self.orders, log: log)
        firstAttempt()
        loop.run()
      } catch {
        log.write(.error, "reactor.failed", "A thread cannot start; its keys are never fetched.") { line in
          line.add(.errorType, "\(error)")
        }
        firstAttempt()
      }
    }
    self.thread.withLock { $0 = thread }
  }

  /// Tells the thread to end, which takes a second at most.
  func stop() {
    isStopping.store(true, ordering: .relaxed)
    orders.post(.stop)
  }

  /// Waits until the thread has ended.
  func join() {
    thread.withLock { $0.take() }?.join()
  }

  /// An operator wants the keys as they are now. Never waits.
  func refetch(now: Instant) {
    if refresh.withLock({ $0.demanded(now: now) }) { orders.post(.fetch) }
  }

  /// A token's key is not in the set: perhaps the set is out of date. Never waits; the token itself is refused.
  ///
  /// - Parameter keyID: the key that the token names, if it names one.
  func missed(_ keyID: String?, now: Instant) {
    if refresh.withLock({ $0.missed(keyID, now: now) }) { orders.post(.fetch) }
  }

  /// How long ago the provider served a set; nil if it never did.
  func age(now: Instant) -> Duration? {
    refresh.withLock { $0.age(now: now) }
  }

  /// Fetches if that is due, and takes keys away whose time is over.
  ///
  /// - Returns: when to be called again.
  fileprivate func turn(log: EdgeLog) -> Instant {
    let now = MonotonicClock.now()
    if refresh.withLock({ $0.dueAt <= now }) { fetch(log: log) }
    dropExpiredKeys(now: MonotonicClock.now(), log: log)
    return refresh.withLock { $0.wakeUp(now: MonotonicClock.now()) }
  }

  private func fetch(log: EdgeLog) {
    let before = ring.generation
    let wasFailing = refresh.withLock { refresh in
      refresh.fetchBegan()
      return refresh.failures > 0
    }
    do {
      let keys = try fetchedKeys()
      ring.replace(with: keys)
      refresh.withLock { $0.fetchSucceeded(now: MonotonicClock.now(), chance: .random(in: 0...1)) }
      if wasFailing || ring.generation !== before { log.keysReloaded(keys, ring: ring, source: source.shownAddress) }
    } catch {
      refresh.withLock { $0.fetchFailed(now: MonotonicClock.now(), chance: .random(in: 0...1)) }
      if !isStopping.load(ordering: .relaxed) { report("\(error)", log: log) }
    }
  }

  private func fetchedKeys() throws -> KeyBundle {
    let document = try Fetch(url: source.url, caFile: source.caFile).perform { [self] in isStopping.load(ordering: .relaxed) }
    return try KeyBundle(keySet: document, algorithms: ring.requirements.algorithms)
  }

  /// Tells why a fetch failed; nothing of what was fetched is in `reason`.
  private func report(_ reason: String, log: EdgeLog) {
    let keyCount = ring.generation.keyCount
    log.write(
      keyCount > 0 ? .warning : .error, "keys.reload_failed", "A provider's keys could not be fetched; it is tried again."
    ) {
      line in
      line.add(.auth, ring.auth)
      line.add(.keySource, source.shownAddress)
      line.add(.errorType, reason)
      line.add(.keysUsed, keyCount)
    }
  }

  private func dropExpiredKeys(now: Instant, log: EdgeLog) {
    guard refresh.withLock({ $0.isExpired(now: now) }), ring.generation.keyCount > 0 else { return }
    ring.replace(with: .none)
    log.write(.error, "keys.expired", "A provider's keys are too old: every token is refused until it gives others.") { line in
      line.add(.auth, ring.auth)
      line.add(.keySource, source.shownAddress)
    }
  }
}

/// What the thread of a fetcher is told.
private enum FetchOrder: Sendable {
  case fetch
  case stop
}

/// The thread of a fetcher from the inside.
private final class FetchLoop: EventSource {
  private let fetcher: KeyFetcher
  private let log: EdgeLog
  private let reactor: Reactor

  /// Fetches for the first time.
  init(_ fetcher: KeyFetcher, orders: Mailbox<FetchOrder>, log: EdgeLog) throws(SystemError) {
    self.fetcher = fetcher
    self.log = log
    reactor = try Reactor()
    super.init()
    reactor.add(self)
    let source = MailboxSource(orders) { [unowned self] order in received(order) }
    try source.attach(to: reactor)
    timerFired()
  }

  func run() {
    reactor.run()
  }

  override func timerFired() {
    reactor.setTimer(self, at: fetcher.turn(log: log))
  }

  private func received(_ order: FetchOrder) {
    switch order {
    case .fetch: timerFired()
    case .stop: reactor.stop()
    }
  }
}

extension Configuration.RemoteKeys {
  /// The address as logs and the admin plane may show it: some providers want a secret in the query.
  var shownAddress: String { String(url.prefix { $0 != "?" }) }
}
