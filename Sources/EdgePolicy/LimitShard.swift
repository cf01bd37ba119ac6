import EdgeCore
import Synchronization

/// One part of a table of limits: who has connections open, and who has used something of a rate. A value without a lock.
///
/// An entry is kept as long as it says more than a new one would: while it has connections, and then until its buckets are
/// full. So coming back does not refill a bucket. Entries with connections are bounded by the connections of the edge; the
/// others by `maxIdle`. When these are too many, some are forgotten, those first that would be full first.
///
/// Nobody escapes a limit that way. An entry that still remembers something is forgotten only where fifteen sixteenths of
/// `maxIdle` others remember longer. Whoever wants that has to use up the limits of as many addresses, without a pause: at ten
/// handshakes a second and 65,536 entries that is 600,000 a second, far beyond what the ramp of the whole edge lets in. Which
/// keys share a shard depends on a seed of the process, so that nobody can aim at one. (A table whose newcomers had to share one
/// entry would let nobody win anything, but a flood could lock everybody else out.)
struct LimitShard<Key: Hashable & Sendable>: Sendable {
  private let maxIdle: Int
  private var entries: [Key: LimitEntry<Key>] = [:]
  /// Entries without connections.
  private var idleCount = 0
  /// How many entries were forgotten that still said something.
  private(set) var evictions: UInt64 = 0

  /// - Parameter maxIdle: entries without connections.
  init(maxIdle: Int) {
    self.maxIdle = max(1, maxIdle)
  }

  var entryCount: Int { entries.count }

  /// The entry of `key`, if it says something.
  func find(_ key: Key) -> LimitEntry<Key>? {
    entries[key]
  }

  /// The connections that `key` has open.
  func connections(of key: Key) -> Int {
    entries[key]?.connections.load(ordering: .relaxed) ?? 0
  }

  /// The entry of `key`, to be charged at once: until then nothing keeps it.
  mutating func obtain(_ key: Key, now: Instant) -> LimitEntry<Key> {
    if let entry = entries[key] { return entry }
    if idleCount >= maxIdle { makeRoom(now: now) }
    let entry = LimitEntry(key)
    entries[key] = entry
    idleCount += 1
    return entry
  }

  /// Counts a connection of `key`.
  mutating func open(_ key: Key, now: Instant) -> LimitEntry<Key> {
    let entry = obtain(key, now: now)
    if entry.isIdle { idleCount -= 1 }
    entry.connections.add(1, ordering: .relaxed)
    return entry
  }

  /// Counts a connection no more that has been counted.
  mutating func close(_ entry: LimitEntry<Key>, now: Instant) {
    guard !entry.isIdle else { return assertionFailure("\(entry.key) holds no connection") }
    entry.connections.subtract(1, ordering: .relaxed)
    guard entry.isIdle else { return }
    idleCount += 1
    if idleCount > maxIdle { makeRoom(now: now) }
  }

  /// Forgets the entries that say nothing any more.
  mutating func sweep(now: Instant) {
    guard idleCount > 0 else { return }
    entries = entries.filter { !$0.value.isIdle || $0.value.fullAt > now }
    idleCount = entries.count { $0.value.isIdle }
  }

  /// Forgets what says nothing any more, and a sixteenth of the idle entries at least, so that a flood pays for a search only
  /// every so often.
  private mutating func makeRoom(now: Instant) {
    let idle = entries.values.filter(\.isIdle).map { (key: $0.key, fullAt: $0.fullAt) }
    let atLeast = max(1, maxIdle / 16)
    for (count, candidate) in idle.sorted(by: { $0.fullAt < $1.fullAt }).enumerated() {
      let isFull = candidate.fullAt <= now
      guard isFull || count < atLeast else { return }
      entries[candidate.key] = nil
      idleCount -= 1
      if !isFull { evictions += 1 }
    }
  }
}

/// A shard and its lock, which is taken when a connection comes and when it ends.
final class LockedShard<Shard: Sendable>: Sendable {
  private let shard: Guarded<Shard>

  private init(_ shard: Shard) {
    self.shard = Guarded(shard)
  }

  func withLock<Result>(_ body: (inout sending Shard) -> sending Result) -> sending Result {
    shard.withLock(body)
  }

  /// The shards of a table for `maxIdle` entries without connections, in all.
  static func all(maxIdle: Int, _ make: (_ maxIdle: Int) -> Shard) -> [LockedShard] {
    let own = max(1, maxIdle / shardCount)
    return (0..<min(shardCount, max(1, maxIdle))).map { _ in LockedShard(make(own)) }
  }
}

/// Reactors rarely meet at the same lock, and an eviction looks through a thousand entries.
private let shardCount = 64
