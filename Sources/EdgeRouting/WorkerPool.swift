public import EdgeCore

/// The workers behind a route, and which of them takes the next client.
///
/// A value without a clock or a lock: whoever shares it guards it. Every client goes through the same steps: `choose` gives it
/// a place, then `answered` or `failed` tells how that went, and `closed` gives the place back (`failed` does so by itself).
public struct WorkerPool: Sendable {
  /// How a pool balances and judges its workers.
  public struct Settings: Hashable, Sendable {
    /// How the next worker is chosen.
    public enum Balance: String, Sendable, CaseIterable {
      /// The one with the fewest clients for its weight.
      case leastConnections = "least_connections"
      /// One after the other, by weight.
      case roundRobin = "round_robin"
    }

    /// How the next worker is chosen.
    public var balance: Balance
    /// Failures in a row that take a worker down; at least 1.
    public var fall: Int
    /// Successes in a row that bring it back; at least 1.
    public var rise: Int
    /// How long after a socket appeared a refused connection is normal.
    public var grace: Duration

    /// Makes settings.
    public init(balance: Balance = .leastConnections, fall: Int = 3, rise: Int = 2, grace: Duration = .seconds(1)) {
      self.balance = balance
      self.fall = max(1, fall)
      self.rise = max(1, rise)
      self.grace = grace
    }
  }

  /// Where a client goes.
  public struct Choice: Hashable, Sendable {
    /// The worker; its place is taken until `closed` or `failed`.
    public let worker: WorkerID
    /// The socket to connect to.
    public let path: String
    /// Whether the worker was down, and this client is to see if it is back.
    public let isProbe: Bool
  }

  /// What a scan changed.
  public struct Changes: Hashable, Sendable {
    /// Workers that appeared.
    public var added: [WorkerID] = []
    /// Workers whose socket is gone or replaced: they keep their clients and take no more.
    public var removed: [WorkerID] = []

    /// Whether nothing changed.
    public var isEmpty: Bool { added.isEmpty && removed.isEmpty }
  }

  private var settings: Settings
  private var workers: [Worker] = []
  private var wishes: [String: WorkerSettings] = [:]
  private var nextID = 1
  /// Where the search for the next worker begins, so that equals take turns.
  private var turn = 0

  /// Makes a pool without workers.
  public init(settings: Settings = Settings()) {
    self.settings = settings
  }

  /// Adopts other settings; what is known of the workers stays.
  public mutating func adopt(_ settings: Settings) {
    self.settings = settings
  }

  // MARK: Scans

  /// Takes in what a scan of the pool's paths found.
  public mutating func update(found: [WorkerSocket], now: Instant) -> Changes {
    var changes = Changes()
    let sockets = Set(found)
    for index in workers.indices where workers[index].isPresent && !sockets.contains(workers[index].socket) {
      workers[index].isPresent = false
      changes.removed.append(workers[index].id)
    }
    let known = Set(workers.lazy.filter(\.isPresent).map(\.socket))
    for socket in sockets.subtracting(known).sorted(by: { $0.path < $1.path }) {
      let id = WorkerID(rawValue: nextID)
      nextID += 1
      workers.append(Worker(id: id, socket: socket, appeared: now, settings: wishes[socket.path] ?? WorkerSettings()))
      changes.added.append(id)
    }
    workers.removeAll(where: \.isFinished)
    spareWorkers()
    return changes
  }

  // MARK: A client's way

  /// The worker for a new client, or nil when none can take one; the client's place is taken at once.
  ///
  /// - Parameters:
  ///   - excluding: workers this client has tried.
  ///   - affinity: the worker that it belongs to, where that one is there.
  public mutating func choose(now: Instant, excluding: Set<WorkerID> = [], affinity: WorkerAffinity = .none) -> Choice? {
    guard
      let index = own(affinity, at: now, excluding: excluding) ?? dueProbe(at: now, excluding: excluding)
        ?? nextUsable(excluding: excluding)
    else { return nil }
    let isProbe = !workers[index].health.isUp
    workers[index].health.probeSent(at: now)
    workers[index].connections += 1
    workers[index].chosenTotal += 1
    turn = index + 1
    return Choice(worker: workers[index].id, path: workers[index].socket.path, isProbe: isProbe)
  }

  /// The worker answered the client, whatever it said: it is alive.
  public mutating func answered(_ worker: WorkerID, now: Instant) {
    guard let index = index(of: worker) else { return }
    workers[index].health.succeeded(.clients, rise: settings.rise, at: now)
  }

  /// The worker did not take the client, which gives its place back.
  public mutating func failed(_ worker: WorkerID, _ failure: ConnectFailure, now: Instant) {
    if let index = index(of: worker), failure.countsAgainstHealth {
      let isStarting = now - workers[index].appeared <= settings.grace
      if !(isStarting && failure.isNormalAtStart) { noteFailure(at: index, .clients, now: now) }
    }
    closed(worker)
  }

  /// A client's place is free again.
  public mutating func closed(_ worker: WorkerID) {
    guard let index = index(of: worker), workers[index].connections > 0 else {
      assertionFailure("worker \(worker) has no such client")
      return
    }
    workers[index].connections -= 1
    if workers[index].isFinished { workers.remove(at: index) }
  }

  // MARK: Health and the operator

  /// Takes in the result of an active check of a worker.
  public mutating func healthCheck(_ worker: WorkerID, passed: Bool, now: Instant) {
    guard let index = index(of: worker), workers[index].settings.admin != .maint else { return }
    if passed {
      workers[index].health.succeeded(.check, rise: settings.rise, at: now)
    } else {
      noteFailure(at: index, .check, now: now)
    }
  }

  /// Nobody checks the workers any more: those that a check found dead are left to their clients to judge.
  public mutating func endHealthChecks() {
    for index in workers.indices where workers[index].health.isDownByCheck { workers[index].health = .up(failures: 0) }
  }

  /// Sets what the operator wants of the worker at `path`; it holds for sockets that come there later too.
  ///
  /// - Parameters:
  ///   - admin: nil keeps what was wanted before.
  ///   - keepsClients: whether it goes on with the clients that it has, in a state in which it takes no new ones. A worker in
  ///     maintenance never does, one that is ready always.
  ///   - weight: the share of clients from 0 to 256, held at the ends; nil keeps it.
  /// - Returns: whether there is such a worker; if not, nothing changed.
  public mutating func set(
    path: String, admin: WorkerAdminState? = nil, keepsClients: Bool = true, weight: Int? = nil
  ) -> Bool {
    guard workers.contains(where: { $0.isPresent && $0.socket.path == path }) else { return false }
    var wish = wishes[path] ?? WorkerSettings()
    if let admin {
      wish.admin = admin
      wish.keepsClients =
        switch admin {
        case .ready: true
        case .drain: keepsClients
        case .maint: false
        }
    }
    if let weight { wish.weight = min(max(0, weight), maxWeight) }
    wishes[path] = wish == WorkerSettings() ? nil : wish
    for index in workers.indices where workers[index].socket.path == path { workers[index].settings = wish }
    spareWorkers()
    return true
  }

  /// Whether the clients of a worker are to go: a client that has just come to it, too. False for a worker that is not known.
  public func sendsClientsAway(_ worker: WorkerID) -> Bool {
    index(of: worker).map { !workers[$0].settings.keepsClients } ?? false
  }

  /// Every worker that is present or still holds clients, in order of appearance.
  public var snapshot: [WorkerSnapshot] { workers.map(\.snapshot) }

  /// Whether a client could be given to some worker.
  public var hasUsableWorker: Bool { workers.contains(where: \.isUsable) }
}

extension WorkerPool {
  private func index(of worker: WorkerID) -> Int? {
    workers.firstIndex { $0.id == worker }
  }

  // MARK: Choosing

  private func own(_ affinity: WorkerAffinity, at now: Instant, excluding: Set<WorkerID>) -> Int? {
    func isReachable(_ worker: Worker) -> Bool {
      (worker.health.isUp || worker.health.isProbeDue(at: now)) && !excluding.contains(worker.id)
    }
    switch affinity {
    case .none: return nil
    case .worker(let path):
      return workers.firstIndex { $0.socket.path == path && $0.keepsItsOwn && isReachable($0) }
    case .key(let key):
      let hash = RendezvousHash(key: key)
      let scores = workers.indices.filter { workers[$0].isEligible && isReachable(workers[$0]) }.map { index in
        (index: index, score: hash.score(path: workers[index].socket.path, weight: workers[index].settings.weight))
      }
      return scores.max { $0.score < $1.score }?.index
    }
  }

  private func dueProbe(at now: Instant, excluding: Set<WorkerID>) -> Int? {
    workers.firstIndex { $0.isEligible && $0.health.isProbeDue(at: now) && !excluding.contains($0.id) }
  }

  private mutating func nextUsable(excluding: Set<WorkerID>) -> Int? {
    let start = turn % max(1, workers.count)
    let inTurn = Array(workers.indices[start...]) + Array(workers.indices[..<start])
    let usable = inTurn.filter { workers[$0].isUsable && !excluding.contains(workers[$0].id) }
    switch settings.balance {
    case .leastConnections:
      return usable.min { load(of: $0, isBelow: $1) }
    case .roundRobin:
      for index in usable { workers[index].credit += workers[index].settings.weight }
      guard let chosen = usable.max(by: { workers[$0].credit < workers[$1].credit }) else { return nil }
      workers[chosen].credit -= usable.reduce(0) { $0 + workers[$1].settings.weight }
      return chosen
    }
  }

  /// Compares the load for the weight, as it would be with one client more.
  private func load(of left: Int, isBelow right: Int) -> Bool {
    (workers[left].connections + 1) * workers[right].settings.weight
      < (workers[right].connections + 1) * workers[left].settings.weight
  }

  // MARK: Health

  private mutating func noteFailure(at index: Int, _ cause: WorkerHealth.Cause, now: Instant) {
    guard workers[index].health.failed(cause, fall: settings.fall, at: now) else { return }
    switch cause {
    case .check: workers[index].health.takeDown(.check, at: now)
    case .clients: if canSpare(index) { workers[index].health.takeDown(.clients, at: now) }
    }
    spareWorkers()
  }

  /// Clients' failures never take out the last worker, nor more than half of the pool.
  private func canSpare(_ index: Int) -> Bool {
    let eligible = workers.filter(\.isEligible)
    let down = eligible.count { !$0.health.isUp }
    let othersUsable = eligible.contains { $0.isUsable && $0.id != workers[index].id }
    return !workers[index].isEligible || (othersUsable && 2 * (down + 1) <= eligible.count)
  }

  /// Brings workers back that clients' failures hold down, when the pool has shrunk so far that it cannot spare them.
  private mutating func spareWorkers() {
    while true {
      let eligible = workers.indices.filter { workers[$0].isEligible }
      let down = eligible.count { !workers[$0].health.isUp }
      guard down == eligible.count || 2 * down > eligible.count else { return }
      let held = eligible.compactMap { index in workers[index].health.downByClientsSince.map { (index: index, since: $0) } }
      guard let longest = held.min(by: { $0.since < $1.since }) else { return }
      workers[longest.index].health = .up(failures: settings.fall - 1)
    }
  }
}

private let maxWeight = 256
