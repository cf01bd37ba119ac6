internal import EdgeCore
public import EdgeRouting

extension AdminAPI {
  /// What concerns workers.
  static let workerOperations: [AdminOperation] = [
    .read("/api/v1/workers", by: .role(.viewer)) { call throws(AdminProblem) in
      .json(["workers": .array(try call.workers().map { .object($0.json) })])
    },
    .write(.patch, "/api/v1/workers/{name}", by: .operator, action: "worker.change") { call throws(AdminProblem) in
      try call.changeWorker()
    },
  ]
}

/// What an operator wants of a worker: the body of `PATCH /api/v1/workers/{name}`.
public struct WorkerOrder: Equatable, Sendable {
  /// Whether it takes clients; nil leaves that as it is.
  public var state: WorkerAdminState?
  /// Whether it goes on with the clients that it has; those that it is not to keep are closed.
  public var keepsClients: Bool
  /// Over how long they are closed, evenly.
  public var spread: Duration
  /// Its share of clients relative to the others; nil leaves that as it is.
  public var weight: Int?

  init(_ request: AdminRequest) throws(AdminProblem) {
    var members = try AdminMembers(request)
    state = try members.take("state", expecting: "ready, drain or maint") { $0.stringValue.flatMap(WorkerAdminState.init) }
    weight = try members.take("weight", expecting: "a whole number from 1 to 100") { value in
      value.integerValue.flatMap { (1...100).contains($0) ? Int($0) : nil }
    }
    let closesClients = try members.takeFlag("close_clients")
    let spread = try members.takeSeconds("spread_seconds")
    try members.finish()
    guard state != nil || weight != nil else {
      throw AdminProblem(400, "bad_body", "Say what is to change: state, weight or both.")
    }
    guard closesClients != true || state == .drain || state == .maint else {
      throw AdminProblem(400, "bad_body", "close_clients goes with the state drain; maint always closes them.").about(
        "close_clients")
    }
    guard closesClients != false || state != .maint else {
      throw AdminProblem(400, "bad_body", "A worker in maint keeps no client; drain lets them stay.").about("close_clients")
    }
    keepsClients = state != .maint && closesClients != true
    self.spread = spread ?? defaultSpread
  }

  /// What is said of it in the audit log.
  var json: JSON {
    var members: [JSON.Member] = []
    if let state {
      members.append(.init(name: "state", value: .string(state.rawValue)))
      members.append(.init(name: "close_clients", value: .bool(!keepsClients)))
    }
    if !keepsClients { members.append(.init(name: "spread_seconds", value: spread.json)) }
    if let weight { members.append(.init(name: "weight", value: .integer(Int64(weight)))) }
    return .object(members)
  }
}

/// What became of an order.
public struct WorkerChange: Equatable, Sendable {
  /// How many WebSockets are being closed; nil where reactors did not say in time.
  public var closing: Int?

  /// Makes an outcome.
  public init(closing: Int?) {
    self.closing = closing
  }
}

/// One worker as the admin plane shows it.
public struct AdminWorker: Equatable, Sendable {
  /// The pool's name.
  public var pool: String
  /// The worker's socket path.
  public var path: String
  /// What the operator wants of it.
  public var state: WorkerAdminState
  /// Whether it may be chosen.
  public var isUp: Bool
  /// Connections that it carries.
  public var connections: Int
  /// Its share relative to the others.
  public var weight: Int
  /// Connects that failed since the start.
  public var connectFailures: UInt64

  /// Makes a worker.
  public init(
    pool: String, path: String, state: WorkerAdminState, isUp: Bool, connections: Int, weight: Int = 1,
    connectFailures: UInt64 = 0
  ) {
    self.pool = pool
    self.path = path
    self.state = state
    self.isUp = isUp
    self.connections = connections
    self.weight = weight
    self.connectFailures = connectFailures
  }

  /// The socket's file name without `.sock`.
  fileprivate var shortName: String {
    let name = path.split(separator: "/").last ?? path[...]
    return String(name.hasSuffix(".sock") ? name.dropLast(".sock".count) : name)
  }
}

/// A worker with the name that the API gives it: its socket's file name where no other worker has that, else the whole path.
private struct NamedWorker {
  let worker: AdminWorker
  let name: String

  var json: [JSON.Member] {
    [
      .init(name: "name", value: .string(name)), .init(name: "pool", value: .string(worker.pool)),
      .init(name: "path", value: .string(worker.path)), .init(name: "state", value: .string(worker.state.rawValue)),
      .init(name: "up", value: .bool(worker.isUp)), .init(name: "connections", value: .integer(Int64(worker.connections))),
      .init(name: "weight", value: .integer(Int64(worker.weight))),
      .init(name: "connect_failures", value: .integer(Int64(clamping: worker.connectFailures))),
    ]
  }
}

extension AdminCall {
  fileprivate func workers() throws(AdminProblem) -> [NamedWorker] {
    let workers = try asked { () throws(AdminBackendError) in try backend.workers() }
    var paths: [String: Set<String>] = [:]
    for worker in workers { paths[worker.shortName, default: []].insert(worker.path) }
    return workers.map { worker in
      NamedWorker(worker: worker, name: paths[worker.shortName]?.count == 1 ? worker.shortName : worker.path)
    }
  }

  /// A worker that several pools have is one worker: what is wanted of it holds in all of them.
  fileprivate mutating func changeWorker() throws(AdminProblem) -> AdminResponse {
    let order = try WorkerOrder(request)
    detail = order.json
    let path = try pathOfWorker(named: parameters.first ?? "")
    target = path
    guard let change = try asked({ () throws(AdminBackendError) in try backend.changeWorker(at: path, order) }),
      let worker = try workers().last(where: { $0.worker.path == path })
    else { throw noWorker(path) }
    let closing = change.closing.map { JSON.integer(Int64($0)) } ?? .null
    detail = .object((order.json.members ?? []) + [.init(name: "closing", value: closing)])
    return .json(.object(worker.json + [.init(name: "closing", value: closing)]))
  }

  private func pathOfWorker(named name: String) throws(AdminProblem) -> String {
    let workers = try asked { () throws(AdminBackendError) in try backend.workers() }
    if workers.contains(where: { $0.path == name }) { return name }
    let paths = Set(workers.filter { $0.shortName == name }.map(\.path)).sorted()
    guard let path = paths.first else { throw noWorker(name) }
    guard paths.count == 1 else {
      throw AdminProblem(
        409, "ambiguous_worker", "Several workers are called \(quoted(name)): name one by its whole path, percent-encoded.")
    }
    return path
  }
}

private func noWorker(_ name: String) -> AdminProblem {
  AdminProblem(404, "no_such_worker", "There is no worker \(quoted(name)).")
}

private let defaultSpread = Duration.seconds(30)
