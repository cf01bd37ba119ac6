/// Which worker a client belongs to.
public enum WorkerAffinity: Hashable, Sendable {
  /// To none: the pool's balance decides.
  case none
  /// To the one that its key falls to, of those that take clients: the same for the same key, in every edge.
  case key(String)
  /// To the one at this path, as long as it can be reached, even while it takes no new clients.
  case worker(path: String)
}

/// Rendezvous hashing (Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998): a key falls to the worker
/// with the highest score for it. When a worker goes, only its own keys fall elsewhere; when one comes, it takes an equal share of
/// every other's.
struct RendezvousHash {
  private let key: UInt64

  init(key: String) {
    self.key = Self.hash(key, seed: 0)
  }

  /// The worker's score; a weight counts like so many workers.
  func score(path: String, weight: Int) -> UInt64 {
    let worker = Self.hash(path, seed: key)
    return (0..<max(1, weight)).reduce(0) { max($0, Self.mixed(worker &+ UInt64($1) &* goldenGamma)) }
  }

  /// FNV-1a over the bytes, then mixed: the same in every process, unlike Swift's own.
  private static func hash(_ text: String, seed: UInt64) -> UInt64 {
    mixed(text.utf8.reduce(0xcbf2_9ce4_8422_2325 ^ seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
  }

  /// The finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
  private static func mixed(_ value: UInt64) -> UInt64 {
    var value = value
    value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
    return value ^ value >> 31
  }
}

private let goldenGamma: UInt64 = 0x9e37_79b9_7f4a_7c15
