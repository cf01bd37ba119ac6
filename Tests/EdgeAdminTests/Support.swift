import EdgeAdmin
import EdgeCore
import EdgePolicy
import EdgeRouting
import EdgeTelemetry
import Synchronization

/// A backend over a fixed list of connections; remembers what it was asked to write.
final class FakeBackend: AdminBackend {
  struct State {
    var connections: [ConnectionSummary] = []
    var disconnects: [String] = []
    var jobs: [DisconnectJob] = []
    var talkers: [String: Talker] = [:]
    var window: Duration?
    var audits: [AuditRecord] = []
    var readiness = AdminReadiness.ready
    var isLive = true
    var error: AdminBackendError?
    var rules = RuleTable(capacity: 5)
    var isPersisted = true
    var reload = ReloadOutcome.applied([])
    var workers = [AdminWorker(pool: "chat", path: "/run/chat/1.sock", state: .ready, isUp: true, connections: 2)]
    var workerOrders: [WorkerOrder] = []
    var drain: AdminDrain?
    var logLevel = LogLevel.info
  }

  let state: Mutex<State>
  let events = EventHub()

  init(connections: [ConnectionSummary] = [summary(1, user: "alice"), summary(2, user: "bob")]) {
    state = Mutex(State(connections: connections))
  }

  func metrics(as format: ExpositionFormat) throws(AdminBackendError) -> [UInt8] {
    try check()
    return Exposition.render(ScrapeValues(version: "1.0"), reactors: [], as: format)
  }

  func isLive() -> Bool { state.withLock { $0.isLive } }

  func readiness() -> AdminReadiness { state.withLock { $0.readiness } }

  func connections(_ query: ConnectionQuery) throws(AdminBackendError) -> ConnectionPage {
    try check()
    return query.page(of: state.withLock { $0.connections }, now: present)
  }

  func connection(_ id: ConnectionID) throws(AdminBackendError) -> ConnectionSummary? {
    try check()
    return state.withLock { $0.connections.first { $0.id == id } }
  }

  func disconnect(_ id: ConnectionID, _ order: DisconnectOrder) throws(AdminBackendError) -> Bool {
    try check()
    return state.withLock { state in
      guard state.connections.contains(where: { $0.id == id }) else { return false }
      state.disconnects.append("\(id) \(order.code) \(order.reason)")
      return true
    }
  }

  func disconnect(_ order: BulkDisconnectOrder) throws(AdminBackendError) -> BulkDisconnectOutcome {
    try check()
    return state.withLock { state in
      let meant = state.connections.filter { order.filter.matches($0, now: present.instant) }
      guard !order.isRehearsal else { return .counted(meant.count) }
      guard state.jobs.count < 2 else { return .busy(maxJobs: 2) }
      for connection in meant { state.disconnects.append("\(connection.id) \(order.close.code) \(order.close.reason)") }
      guard order.rate != nil else { return .closed(meant.count, of: meant.count) }
      let job = DisconnectJob(
        name: "d\(state.jobs.count + 1)", matched: meant.count, closed: 1, gone: 0, beganAt: now, endedAt: nil)
      state.jobs.append(job)
      return .began(job)
    }
  }

  func disconnectJob(_ name: String) -> DisconnectJob? { state.withLock { $0.jobs.first { $0.name == name } } }

  func stopDisconnectJob(_ name: String) -> DisconnectJob? {
    state.withLock { state in
      guard let index = state.jobs.firstIndex(where: { $0.name == name }) else { return nil }
      state.jobs[index].endedAt = now
      return state.jobs[index]
    }
  }

  func throttle(
    _ id: ConnectionID, _ throttle: (rates: Throttle, ttl: Duration?)?
  ) throws(AdminBackendError) -> ConnectionSummary? {
    try check()
    return state.withLock { state in
      guard let index = state.connections.firstIndex(where: { $0.id == id }) else { return nil }
      state.connections[index].throttle = throttle.map { rates, ttl in
        ConnectionThrottle(rates: rates, until: ttl.map { now.adding($0) })
      }
      return state.connections[index]
    }
  }

  func talkers(_ subject: TopQuery.Subject) throws(AdminBackendError) -> TopTalkers {
    try check()
    return state.withLock { state in
      TopTalkers(now: now, window: state.window, talkers: state.talkers)
    }
  }

  func rules() throws(AdminBackendError) -> [Rule] {
    try check()
    return state.withLock { Array($0.rules.all) }
  }

  func rule(_ id: RuleID) throws(AdminBackendError) -> Rule? {
    try check()
    return state.withLock { $0.rules.rule(id, now: now) }
  }

  func add(_ order: RuleOrder) throws(AdminBackendError) -> RuleOutcome {
    try check()
    if let auth = order.effect.auth, auth != "main" { return .unknownAuth(auth) }
    return state.withLock { state in
      guard
        let addition = try? state.rules.add(order.effect, for: order.ttl, reason: order.reason, author: order.author, now: now)
      else { return .full(maxRules: 5) }
      return .inForce(addition.rule, isNew: addition.isNew, isPersisted: state.isPersisted, closed: 2)
    }
  }

  func removeRule(_ id: RuleID) throws(AdminBackendError) -> Bool? {
    try check()
    return state.withLock { state in state.rules.remove(id).map { _ in state.isPersisted } }
  }

  func status() throws(AdminBackendError) -> AdminStatus {
    try check()
    return AdminStatus(
      version: "1.0", started: moment(1_000), now: present, reactors: 2, connections: 2, maxConnections: 100,
      isDraining: false, routes: ["chat"])
  }

  func workers() throws(AdminBackendError) -> [AdminWorker] {
    try check()
    return state.withLock { $0.workers }
  }

  func routes() throws(AdminBackendError) -> [AdminRoute] {
    try check()
    var totals = TrafficTotals()
    totals.messagesReceived = 7
    totals.handshakes[HandshakeResult.accepted.rawValue] = 3
    totals.closed = 1
    return [
      AdminRoute(name: "chat", host: nil, path: "/ws", pool: "chat", auth: "main", origins: ["*"], totals: totals)
    ]
  }

  func certificates() throws(AdminBackendError) -> [AdminCertificate] {
    try check()
    return [
      AdminCertificate(
        listener: "public", name: "/tls/chain.pem", subject: "CN=chat.example.com", issuer: "CN=CA", names: ["chat.example.com"],
        notBefore: nil, notAfter: WallTime(seconds: now.seconds + 3 * 86_400 - 1), keyType: "EC P-256", serial: "0A")
    ]
  }

  func keys() throws(AdminBackendError) -> [AdminKeys] {
    try check()
    return [
      AdminKeys(
        auth: "main", source: .secretFile, location: "/keys/secret", keys: [.init(id: nil, algorithm: "HS256")],
        fetched: present.earlier(by: .seconds(10))),
      AdminKeys(auth: "other", source: .url, location: "https://id.example.com/keys", keys: [], fetched: nil),
    ]
  }

  func logLevel() -> LogLevel { state.withLock { $0.logLevel } }

  func setLogLevel(_ level: LogLevel) {
    state.withLock { $0.logLevel = level }
  }

  func changeWorker(at path: String, _ order: WorkerOrder) throws(AdminBackendError) -> WorkerChange? {
    try check()
    return state.withLock { state in
      let places = state.workers.indices.filter { state.workers[$0].path == path }
      for place in places {
        state.workers[place].state = order.state ?? state.workers[place].state
        state.workers[place].weight = order.weight ?? state.workers[place].weight
      }
      state.workerOrders.append(order)
      return places.isEmpty ? nil : WorkerChange(closing: order.keepsClients ? 0 : 2)
    }
  }

  func drain(_ order: DrainOrder) throws(AdminBackendError) -> (drain: AdminDrain, connections: Int) {
    try check()
    return state.withLock { state in
      let drain = AdminDrain(
        beganAt: now, spread: order.spread ?? .seconds(30), endsAt: now.adding(order.spread ?? .seconds(30)),
        endsProcess: order.endsProcess)
      state.drain = state.drain ?? drain
      return (drain, 2)
    }
  }

  func undrain() throws(AdminBackendError) -> Bool {
    try check()
    return state.withLock { state in
      guard state.drain?.endsProcess != true else { return false }
      state.drain = nil
      return true
    }
  }

  func configuration() throws(AdminBackendError) -> AdminConfiguration {
    try check()
    return AdminConfiguration(etag: "0123", json: ["threads": 2], yaml: "threads: 2\n")
  }

  func validate(_ yaml: String) throws(AdminBackendError) -> ReloadOutcome {
    try check()
    return state.withLock { $0.reload }
  }

  func reload() throws(AdminBackendError) -> ReloadOutcome {
    try check()
    return state.withLock { $0.reload }
  }

  func audit(_ record: AuditRecord) { state.withLock { $0.audits.append(record) } }

  var audits: [AuditRecord] { state.withLock { $0.audits } }
  var disconnects: [String] { state.withLock { $0.disconnects } }

  func giveWay() {}

  private func check() throws(AdminBackendError) {
    if let error = state.withLock({ $0.error }) { throw error }
  }
}

/// Not SHA-256: 32 bytes that differ where the text differs is all the tests need, and a token's entry can be written by hand.
let cryptography = AdminAccess.Cryptography(
  sha256: { bytes in Array((bytes + Array(repeating: 0, count: 32)).prefix(32)) }, constantTimeEquals: { $0 == $1 })

/// A tokens file's line for a token, under the hash above.
func tokenLine(_ role: String, _ name: String, _ token: String) -> String {
  let digits = cryptography.sha256(Array(token.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
  return "\(role):\(name):\(digits.joined())\n"
}

func tokens() throws -> AdminTokens {
  let lines =
    tokenLine("viewer", "grafana", "view") + tokenLine("operator", "oncall", "oper") + tokenLine("admin", "root", "boss")
  return try AdminTokens(parsing: Array(lines.utf8))
}

func summary(
  _ serial: UInt64, user: String? = nil, address: String = "192.0.2.1", route: String = "chat", opened: Int64 = 0
) -> ConnectionSummary {
  ConnectionSummary(
    id: ConnectionID(reactor: 0, serial: serial), listener: "public", route: route, worker: "/run/chat/1.sock", user: user,
    clientAddress: IPAddress(address), origin: "https://chat.example.com", clientProtocol: "http/1.1", tlsVersion: "1.3",
    opened: moment(1_000 + opened))
}

/// A moment that both clocks call by the same number of seconds.
func moment(_ seconds: Int64) -> Moment {
  Moment(instant: instant(seconds), wallTime: WallTime(seconds: seconds))
}

func instant(_ seconds: Int64) -> Instant { Instant(nanoseconds: UInt64(seconds) * 1_000_000_000) }

let now = WallTime(seconds: 2_000)
let present = moment(2_000)
let firstID = "0000000000000001"
let loopback = AdminPeer.tcp(.ip(IPAddress(v4: 0x7f00_0001), port: 40_000))
