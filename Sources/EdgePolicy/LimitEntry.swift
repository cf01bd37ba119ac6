internal import EdgeCore
internal import Synchronization

/// What one holder of limits, an address block or a user, has used of its rates. Whoever has a connection open holds it by
/// reference, and charges it without a lock.
public final class LimitEntry<Key: Hashable & Sendable>: Sendable {
  /// Whose it is.
  public let key: Key
  /// What all its connections together have said.
  public let meter = SharedMeter()
  /// Its connections that are open. Counted under the shard's lock only.
  let connections = Atomic<Int>(0)
  /// New connections. Charged under the shard's lock only, so that several can be charged at once or none.
  let handshakes = SharedBucket()
  /// Refusals that somebody could read.
  let refusals = SharedBucket()

  init(_ key: Key) {
    self.key = key
  }

  /// Whether it has no connection open.
  var isIdle: Bool { connections.load(ordering: .relaxed) == 0 }

  /// From here on a new entry would say the same, if nobody charges this one.
  var fullAt: Instant { max(meter.fullAt, handshakes.fullAt, refusals.fullAt) }
}

/// The meter of one holder that a connection belongs to, and whose limits hold for it.
public struct HeldMeter: Sendable {
  /// Whose limits hold.
  public enum Scope: Hashable, Sendable {
    /// Those of one address.
    case address
    /// Those of one address, `AddressLimits.wideFactor` times.
    case widerBlock
    /// Those of one user.
    case user
  }

  /// Whose limits hold.
  public let scope: Scope
  /// What is used of them.
  public let meter: SharedMeter
}
