import EdgeAuth
import EdgeConfig
import EdgeCore
import EdgeIO
import EdgePolicy
import EdgeTelemetry
import Synchronization

/// Who has come in, over all reactors: connections of the whole edge, of addresses and of users. Atomics, and locks that are taken
/// when a connection comes and when it ends. What the limits are comes with each call, for they may change meanwhile.
final class EdgeLimits: Sendable {
  private let addresses = AddressTable()
  private let users = UserTable()
  private let changeCount = Atomic<Int>(0)
  private let connectionCount = Atomic<Int>(0)
  private let refusalCount = Atomic<Int>(0)

  /// How many connections have come or gone since the start: as long as it stands still, nobody does either.
  var connectionChanges: Int { changeCount.load(ordering: .relaxed) }

  /// Clients' connections that are open, and streams beyond the first on each, on all reactors, those that wait for their turn among them.
  var openConnections: Int { connectionCount.load(ordering: .relaxed) }

  // MARK: A TCP connection

  /// Takes a connection's place in the edge's cap; give it back with `release`.
  func takePlace(under limits: AdmissionLimits, now: Instant) -> ConnectionCharge {
    changeCount.add(1, ordering: .relaxed)
    let isFull = connectionCount.add(1, ordering: .relaxed).newValue > limits.maxConnections
    return isFull ? refused(.edgeIsFull, under: limits, now: now) : .admitted(.uncounted)
  }

  /// Charges a connection that has its place in the edge's cap to an address too.
  ///
  /// - Parameters:
  ///   - place: what `takePlace` gave; what is returned replaces it.
  ///   - address: nil is not charged to any address: a peer without one, or a trusted proxy.
  ///   - isBanned: whether a rule keeps the address out.
  func charge(
    _ place: ConnectionCharge, to address: IPAddress?, isBanned: Bool, under limits: AdmissionLimits, now: Instant
  ) -> ConnectionCharge {
    guard case .admitted = place else { return place }
    guard !isBanned else { return refused(.banned, under: limits, now: now) }
    guard let address else { return place }
    switch addresses.open(address, limits: limits.addresses, now: now) {
    case .allowed(let place): return .admitted(place)
    case .full: return refused(.addressIsFull, under: limits, now: now)
    case .tooFast(let wait, isReadable: true): return refused(.addressIsTooFast(retryAfter: wait), under: limits, now: now)
    case .tooFast(let wait, isReadable: false): return .unanswered(.addressIsTooFast(retryAfter: wait))
    }
  }

  /// Sends a connection away that was admitted, because its turn would come too late.
  ///
  /// - Returns: what it holds instead.
  func turnAway(
    _ place: AddressPlace, retryAfter: Duration, under limits: AdmissionLimits, now: Instant
  ) -> ConnectionCharge {
    addresses.close(place, now: now)
    return refused(.edgeIsTooBusy(retryAfter: retryAfter), under: limits, now: now)
  }

  /// Gives a connection's place back.
  func release(_ charge: ConnectionCharge, now: Instant) {
    changeCount.add(1, ordering: .relaxed)
    connectionCount.subtract(1, ordering: .relaxed)
    switch charge {
    case .admitted(let place): addresses.close(place, now: now)
    case .refused: refusalCount.subtract(1, ordering: .relaxed)
    case .unanswered: break
    }
  }

  /// A client over a limit, or banned, is told so, as long as not too many are being told, nor too fast: then it is closed without a word.
  private func refused(_ overload: Overload, under limits: AdmissionLimits, now: Instant) -> ConnectionCharge {
    guard limits.ramp.chargeRefusal(now: now) else { return .unanswered(overload) }
    guard refusalCount.add(1, ordering: .relaxed).newValue <= Self.maxRefusals else {
      refusalCount.subtract(1, ordering: .relaxed)
      return .unanswered(overload)
    }
    return .refused(overload)
  }

  /// How many clients over a limit, or banned, may be connected at a time, waiting for their refusal.
  static let maxRefusals = 256

  // MARK: A request

  /// One more stream of a connection: it costs a worker's connection as a client of its own does.
  ///
  /// - Returns: nil where the edge is full.
  func takePlace(under limits: AdmissionLimits) -> HeldPlace? {
    changeCount.add(1, ordering: .relaxed)
    guard connectionCount.add(1, ordering: .relaxed).newValue <= limits.maxConnections else {
      connectionCount.subtract(1, ordering: .relaxed)
      return nil
    }
    return HeldPlace(.edge, limits: self)
  }

  /// One more attempt of an address over a connection that is open.
  func chargeAttempt(_ address: IPAddress, under limits: AdmissionLimits, now: Instant) throws(Overload) {
    switch addresses.attempt(address, limits: limits.addresses, now: now) {
    case .allowed: break
    case .full: throw .addressIsFull
    case .tooFast(let wait, isReadable: _): throw .addressIsTooFast(retryAfter: wait)
    }
  }

  /// A WebSocket of an address that a trusted proxy has told: an attempt, and a place.
  func takePlace(of address: IPAddress, under limits: AdmissionLimits, now: Instant) throws(Overload) -> HeldPlace {
    switch addresses.open(address, limits: limits.addresses, now: now) {
    case .allowed(let place): return HeldPlace(.address(place), limits: self)
    case .full: throw .addressIsFull
    case .tooFast(let wait, isReadable: _): throw .addressIsTooFast(retryAfter: wait)
    }
  }

  /// A WebSocket of a verified user.
  ///
  /// - Returns: its place, if users are limited, and the connections whose places it took.
  func takePlace(
    of user: UserID, connection: ConnectionID, under limits: AdmissionLimits, now: Instant
  ) throws(Overload) -> (place: HeldPlace?, replaced: [ConnectionID]) {
    guard limits.countsUsers else { return (nil, []) }
    switch users.open(user, connection: connection, limits: limits.users, now: now) {
    case .allowed(let place, let replacing): return (HeldPlace(.user(place), limits: self), replacing.map(\.connection))
    case .full: throw .userIsFull
    }
  }

  fileprivate func giveBack(_ place: HeldPlace.Place) {
    switch place {
    case .address(let place): addresses.close(place, now: MonotonicClock.now())
    case .user(let place): users.close(place, now: MonotonicClock.now())
    case .edge:
      changeCount.add(1, ordering: .relaxed)
      connectionCount.subtract(1, ordering: .relaxed)
    }
  }

  // MARK: The tables

  /// Forgets addresses and users of whom nothing is to be known any more. Call it once a second.
  func sweep(now: Instant) {
    addresses.sweep(now: now)
    users.sweep(now: now)
  }

  /// The tables' sizes, for the metrics.
  var samples: [LimiterSample] {
    [
      LimiterSample(scope: "ip", entries: addresses.entryCount, evictions: addresses.evictions),
      LimiterSample(scope: "user", entries: users.entryCount, evictions: users.evictions),
    ]
  }
}

/// What the configuration says of who may come in. Immutable, but for the state of the ramp.
final class AdmissionLimits: Sendable {
  let maxConnections: Int
  let ramp: AdmissionRamp
  fileprivate let addresses: AddressLimits
  fileprivate let users: UserLimits
  /// Whether anything is limited by user; without that nobody is counted.
  fileprivate let countsUsers: Bool

  /// - Parameter maxConnections: what the process's descriptors carry.
  init(_ limits: Configuration.Limits, maxConnections: Int, ramp: AdmissionRamp) {
    self.maxConnections = maxConnections
    self.ramp = ramp
    addresses = AddressLimits(limits)
    users = UserLimits(limits.perUser)
    countsUsers = limits.perUser.connections != nil || limits.perUser.messages != nil || limits.perUser.bytes != nil
  }
}

/// What a client's connection holds of the limits. Two references: what is rare is kept elsewhere.
enum ConnectionCharge {
  case admitted(AddressPlace)
  /// Over a limit, or banned: whatever it asks, this is the answer.
  indirect case refused(Overload)
  /// Over a limit or banned, and not worth an answer.
  indirect case unanswered(Overload)
}

/// What a WebSocket holds of the limits besides what its TCP connection does.
struct HeldPlaces {
  /// A place of the address that a trusted proxy has told.
  var address: HeldPlace?
  var user: HeldPlace?
}

/// A place of one WebSocket in a table, or of one stream in the edge's cap; given back once, at the latest when nobody knows of it any more.
final class HeldPlace: Sendable {
  enum Place {
    indirect case address(AddressPlace)
    case user(UserPlace)
    /// In the cap of the whole edge.
    case edge
  }

  private let place: Place
  private let limits: EdgeLimits
  private let isHeld = Atomic(true)

  fileprivate init(_ place: Place, limits: EdgeLimits) {
    self.place = place
    self.limits = limits
  }

  deinit {
    giveBack()
  }

  /// The WebSocket has ended.
  func giveBack() {
    guard isHeld.exchange(false, ordering: .relaxed) else { return }
    limits.giveBack(place)
  }

  /// Whether a newer WebSocket of the same user has the place now.
  var isReplaced: Bool {
    switch place {
    case .address, .edge: false
    case .user(let place): place.isReplaced
    }
  }

  /// What messages are charged to besides the connection's own limits.
  var meters: [HeldMeter] {
    switch place {
    case .address(let place): place.meters
    case .user(let place): [place.meter]
    case .edge: []
    }
  }
}
