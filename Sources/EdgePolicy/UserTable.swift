public import EdgeCore
internal import Synchronization

/// What one verified user may do: the setting `limits.per_user`.
public struct UserLimits: Hashable, Sendable {
  /// What happens when a user opens one connection too many.
  public enum WhenFull: Hashable, Sendable {
    /// The new one is refused.
    case reject
    /// The user's oldest one goes.
    case replaceOldest
  }

  /// WebSockets at a time; nil is no limit.
  public let connections: Int?
  /// What happens to one too many.
  public let whenFull: WhenFull

  /// Makes limits.
  public init(connections: Int? = nil, whenFull: WhenFull = .reject) {
    self.connections = connections
    self.whenFull = whenFull
  }
}

/// What users hold and have used, over all reactors.
///
/// At most `maxIdleEntries` users without connections are remembered; see `LimitShard` for what happens beyond.
///
/// Not generic over what a user is: called from another module, generic code cost a handshake 60,000 user instructions
/// (`scripts/bench --parts instructions`).
public final class UserTable: Sendable {
  private let shards: [LockedShard<UserShard>]

  /// Makes an empty table.
  public init(maxIdleEntries: Int = 65_536) {
    shards = LockedShard.all(maxIdle: maxIdleEntries) { UserShard(table: LimitShard(maxIdle: $0)) }
  }

  /// Takes a place for a WebSocket of `user`.
  ///
  /// - Parameter connection: what names the connection to whoever has to close it.
  public func open(_ user: UserID, connection: ConnectionID, limits: UserLimits, now: Instant) -> UserVerdict {
    shard(of: user).withLock { $0.open(user, connection: connection, limits: limits, now: now) }
  }

  /// Gives a place back. One that was replaced is given back already.
  public func close(_ place: UserPlace, now: Instant) {
    shard(of: place.entry.key).withLock { $0.close(place, now: now) }
  }

  /// Forgets the users of whom nothing is to be known any more. Call it once a second.
  public func sweep(now: Instant) {
    for shard in shards { shard.withLock { $0.table.sweep(now: now) } }
  }

  /// The users that are known.
  public var entryCount: Int {
    shards.reduce(0) { $0 + $1.withLock { $0.table.entryCount } }
  }

  /// How many users were forgotten for lack of room although something was to be known of them.
  public var evictions: UInt64 {
    shards.reduce(0) { $0 + $1.withLock { $0.table.evictions } }
  }

  private func shard(of user: UserID) -> LockedShard<UserShard> {
    shards[Int(UInt(bitPattern: user.hashValue) % UInt(shards.count))]
  }
}

/// The counted place of one WebSocket of a user.
public final class UserPlace: Sendable {
  /// Which connection has it.
  public let connection: ConnectionID
  fileprivate let entry: LimitEntry<UserID>
  private let replaced = Atomic(false)

  fileprivate init(entry: LimitEntry<UserID>, connection: ConnectionID) {
    self.entry = entry
    self.connection = connection
  }

  /// Whether a newer WebSocket has the place now: this one has to be closed.
  public var isReplaced: Bool { replaced.load(ordering: .acquiring) }

  /// What the connection's messages are charged to besides its own limits.
  public var meter: HeldMeter { HeldMeter(scope: .user, meter: entry.meter) }

  fileprivate func replace() {
    replaced.store(true, ordering: .releasing)
  }
}

/// Whether a user may open a WebSocket.
public enum UserVerdict: Sendable {
  /// They may. Those of `replacing` have lost their places for it, and have to be closed; usually there is none.
  case allowed(UserPlace, replacing: [UserPlace])
  /// They have all their connections open already.
  case full(connections: Int)
}

/// A shard of users, and who of them came in which order.
private struct UserShard: Sendable {
  var table: LimitShard<UserID>
  /// The places of users who have a cap, oldest first.
  private var places: [UserID: [UserPlace]] = [:]

  init(table: LimitShard<UserID>) {
    self.table = table
  }

  mutating func open(
    _ user: UserID, connection: ConnectionID, limits: UserLimits, now: Instant
  ) -> UserVerdict {
    guard let cap = limits.connections else {
      return .allowed(UserPlace(entry: table.open(user, now: now), connection: connection), replacing: [])
    }
    var replaced: [UserPlace] = []
    while table.connections(of: user) >= cap {
      guard limits.whenFull == .replaceOldest, places[user]?.isEmpty == false, let oldest = places[user]?.removeFirst() else {
        return .full(connections: table.connections(of: user))
      }
      oldest.replace()
      table.close(oldest.entry, now: now)
      replaced.append(oldest)
    }
    let place = UserPlace(entry: table.open(user, now: now), connection: connection)
    places[user, default: []].append(place)
    return .allowed(place, replacing: replaced)
  }

  mutating func close(_ place: UserPlace, now: Instant) {
    guard !place.isReplaced else { return }
    table.close(place.entry, now: now)
    guard let index = places.index(forKey: place.entry.key), let turn = places.values[index].firstIndex(where: { $0 === place })
    else { return }
    places.values[index].remove(at: turn)
    if places.values[index].isEmpty { places.remove(at: index) }
  }
}
