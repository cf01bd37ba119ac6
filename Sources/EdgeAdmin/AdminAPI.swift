public import EdgeCore
internal import EdgePolicy
internal import EdgeTelemetry

/// Answers the requests of the admin plane: a function of the request, of who sent it, and of what the backend says.
public struct AdminAPI: Sendable {
  /// What a listener serves.
  public enum Scope: Sendable {
    /// Everything, to those who may.
    case full
    /// `/metrics`, `/livez` and `/readyz` alone, under any `Host`.
    case metricsOnly
  }

  private let backend: any AdminBackend
  private let access: AdminAccess

  /// Makes an API over a backend.
  public init(backend: any AdminBackend, access: AdminAccess) {
    self.backend = backend
    self.access = access
  }

  /// Answers one request. `HEAD` is answered like `GET`; whoever sends the answer leaves its body out.
  public func respond(to request: AdminRequest, from peer: AdminPeer, scope: Scope, now: Instant) -> AdminResponse {
    do throws(AdminProblem) {
      return try answer(request, from: peer, scope: scope, now: now)
    } catch {
      return error.response
    }
  }

  /// Judges a request by its head alone, so that a body too large is never read; nil if the body may come.
  public func refusalBeforeBody(of request: AdminRequest) -> AdminResponse? {
    let lengths = request.values(of: "Content-Length")
    guard request.values(of: "Transfer-Encoding").isEmpty else {
      return AdminProblem(411, "length_required", "Send Content-Length instead of Transfer-Encoding.").response
    }
    guard lengths.count <= 1 else { return AdminProblem(400, "bad_request", "Content-Length may be given once.").response }
    guard let text = lengths.first else { return nil }
    guard (1...19).contains(text.utf8.count), text.utf8.allSatisfy(ASCII.isDigit), let length = Int(text) else {
      return AdminProblem(400, "bad_request", "Content-Length is not a number.").response
    }
    return length <= AdminRequest.maxBodyBytes ? nil : bodyTooLarge.response
  }

  // MARK: Order of the checks

  private func answer(_ request: AdminRequest, from peer: AdminPeer, scope: Scope, now: Instant) throws(AdminProblem)
    -> AdminResponse
  {
    guard request.body.count <= AdminRequest.maxBodyBytes else { throw bodyTooLarge }
    let endpoint = try Endpoint(path: request.path)
    switch scope {
    case .full: try access.checkHostAndOrigin(request, from: peer)
    case .metricsOnly: guard endpoint.isPublic else { throw notFound }
    }
    switch request.method {
    case "GET", "HEAD":
      if !endpoint.isPublic { _ = try access.authorize(request, from: peer, needing: .viewer, now: now) }
      return try read(endpoint, request)
    case "POST":
      guard case .rules = endpoint else { throw methodNotAllowed(endpoint) }
      return try addRule(request, from: peer, now: now)
    case "DELETE":
      switch endpoint {
      case .connection(let id): return try disconnect(id, request, from: peer, now: now)
      case .rule(let id): return try removeRule(id, request, from: peer, now: now)
      case .metrics, .livez, .readyz, .connections, .status, .workers, .rules: throw methodNotAllowed(endpoint)
      }
    default:
      throw methodNotAllowed(endpoint)
    }
  }

  // MARK: Reads

  private func read(_ endpoint: Endpoint, _ request: AdminRequest) throws(AdminProblem) -> AdminResponse {
    if endpoint != .connections, endpoint != .rules { try AdminQuery(request.query).finish() }
    switch endpoint {
    case .livez: return backend.isLive() ? .text(200, "ok") : .text(503, "not live")
    case .readyz: return readiness()
    case .metrics:
      let format = ExpositionFormat(accept: request.values(of: "Accept").joined(separator: ","))
      return AdminResponse(
        type: format.contentType, body: try asked { () throws(AdminBackendError) in try backend.metrics(as: format) })
    case .connections:
      let query = try ConnectionQuery(request.query)
      return .json(try asked { () throws(AdminBackendError) in try backend.connections(query) }.json)
    case .connection(let id):
      guard let found = try asked({ () throws(AdminBackendError) in try backend.connection(id) }) else { throw noConnection(id) }
      let status = try asked { () throws(AdminBackendError) in try backend.status() }
      return .json(found.json(now: status.now))
    case .status: return .json(try asked { () throws(AdminBackendError) in try backend.status() }.json)
    case .workers:
      let workers = try asked { () throws(AdminBackendError) in try backend.workers() }
      return .json(["workers": .array(workers.map(\.json))])
    case .rules:
      let query = try RuleQuery(request.query)
      let rules = try asked { () throws(AdminBackendError) in try backend.rules() }
      return .json(query.page(of: rules, now: try wallTime()))
    case .rule(let id):
      guard let rule = try asked({ () throws(AdminBackendError) in try backend.rule(id) }) else { throw noRule(id) }
      return .json(rule.json)
    }
  }

  private func readiness() -> AdminResponse {
    switch backend.readiness() {
    case .ready: .text(200, "ready")
    case .notReady(let reason): .text(503, reason)
    }
  }

  private func asked<Value>(_ question: () throws(AdminBackendError) -> Value) throws(AdminProblem) -> Value {
    do throws(AdminBackendError) {
      return try question()
    } catch {
      switch error {
      case .timeout: throw AdminProblem(503, "timeout", "The edge did not answer in time; ask again.").with("Retry-After", "1")
      case .stopping: throw AdminProblem(503, "stopping", "The edge is going down.")
      }
    }
  }

  // MARK: Writes

  /// Closes one connection.
  private func disconnect(
    _ id: ConnectionID, _ request: AdminRequest, from peer: AdminPeer, now: Instant
  ) throws(AdminProblem) -> AdminResponse {
    try write("connection.disconnect", on: id.description, request, from: peer, now: now) { record throws(AdminProblem) in
      let order = try DisconnectOrder(request)
      record.detail = order.json
      guard try asked({ () throws(AdminBackendError) in try backend.disconnect(id, code: order.code, reason: order.reason) })
      else {
        throw noConnection(id)
      }
      return .json(["id": .string(id.description), "code": .integer(Int64(order.code)), "reason": .string(order.reason)])
    }
  }

  /// Puts a rule in force. Operators may, but for one that concerns whole address families, everybody's tokens or who asks.
  private func addRule(_ request: AdminRequest, from peer: AdminPeer, now: Instant) throws(AdminProblem) -> AdminResponse {
    try write("rule.add", on: "rules", request, from: peer, now: now) { record throws(AdminProblem) in
      let order = try RuleOrder(request, author: record.who?.name ?? "", now: try wallTime())
      record.detail = order.json
      if order.isSweeping(askedFrom: peer) {
        guard order.isSweepingMeant else {
          throw AdminProblem(
            400, "sweeping",
            "This concerns a whole address family, everybody's tokens or yourself: say \"all\": true if you mean it."
          ).about("all")
        }
        _ = try access.authorize(request, from: peer, needing: .admin, now: now)
      }
      switch try asked({ () throws(AdminBackendError) in try backend.add(order) }) {
      case .inForce(let rule, let isNew, let isPersisted, let closed):
        record.target = rule.id.description
        let answer: JSON = [
          "rule": rule.json, "persisted": .bool(isPersisted), "closed": closed.map { .integer(Int64($0)) } ?? .null,
        ]
        return .json(answer, status: isNew ? 201 : 200).with("Location", "/api/v1/rules/\(rule.id)")
      case .full(let maxRules):
        throw AdminProblem(409, "rules_full", "There are \(maxRules) rules already. Remove some, or wait until some expire.")
      case .unknownAuth(let name):
        throw AdminProblem(400, "bad_body", "There is no auth block \(quoted(name)) in the configuration.").about("auth")
      }
    }
  }

  /// Takes a rule out of force.
  private func removeRule(
    _ id: RuleID, _ request: AdminRequest, from peer: AdminPeer, now: Instant
  ) throws(AdminProblem) -> AdminResponse {
    try write("rule.remove", on: id.description, request, from: peer, now: now) { _ throws(AdminProblem) in
      guard let isPersisted = try asked({ () throws(AdminBackendError) in try backend.removeRule(id) }) else { throw noRule(id) }
      return .json(["id": .string(id.description), "persisted": .bool(isPersisted)])
    }
  }

  /// Does what operators may do. Whatever comes of it leaves an audit record.
  private func write(
    _ action: String, on target: String, _ request: AdminRequest, from peer: AdminPeer, now: Instant,
    _ body: (inout AuditRecord) throws(AdminProblem) -> AdminResponse
  ) throws(AdminProblem) -> AdminResponse {
    var record = AuditRecord(who: nil, peer: peer, action: action, target: target, status: 200, detail: .null)
    do throws(AdminProblem) {
      record.who = try access.authorize(request, from: peer, needing: .operator, now: now)
      try AdminQuery(request.query).finish()
      let answer = try body(&record)
      record.status = answer.status
      backend.audit(record)
      return answer
    } catch {
      record.status = error.status
      backend.audit(record)
      throw error
    }
  }

  private func wallTime() throws(AdminProblem) -> WallTime {
    try asked { () throws(AdminBackendError) in try backend.status().now }
  }
}

/// What a path names.
private enum Endpoint: Equatable {
  case metrics
  case livez
  case readyz
  case connections
  case connection(ConnectionID)
  case status
  case workers
  case rules
  case rule(RuleID)

  init(path: Substring) throws(AdminProblem) {
    switch path {
    case "/metrics": self = .metrics
    case "/livez": self = .livez
    case "/readyz": self = .readyz
    case "/api/v1/connections": self = .connections
    case "/api/v1/status": self = .status
    case "/api/v1/workers": self = .workers
    case "/api/v1/rules": self = .rules
    case _ where path.hasPrefix("/api/v1/connections/"):
      guard let id = ConnectionID(path.dropFirst("/api/v1/connections/".count)) else { throw notFound }
      self = .connection(id)
    case _ where path.hasPrefix("/api/v1/rules/"):
      guard let id = RuleID(path.dropFirst("/api/v1/rules/".count)) else { throw notFound }
      self = .rule(id)
    default: throw notFound
    }
  }

  /// Whether it is served without asking who is there.
  var isPublic: Bool {
    switch self {
    case .metrics, .livez, .readyz: true
    case .connections, .connection, .status, .workers, .rules, .rule: false
    }
  }
}

private func methodNotAllowed(_ endpoint: Endpoint) -> AdminProblem {
  let methods =
    switch endpoint {
    case .metrics, .livez, .readyz, .connections, .status, .workers: "GET, HEAD"
    case .connection, .rule: "GET, HEAD, DELETE"
    case .rules: "GET, HEAD, POST"
    }
  return AdminProblem(405, "method_not_allowed", "This takes \(methods).").with("Allow", methods)
}

private func noConnection(_ id: ConnectionID) -> AdminProblem {
  AdminProblem(404, "no_such_connection", "There is no connection \(id).")
}

private func noRule(_ id: RuleID) -> AdminProblem {
  AdminProblem(404, "no_such_rule", "There is no rule \(id), or its time is over.")
}

private let notFound = AdminProblem(404, "not_found", "There is nothing at this path; the API begins at /api/v1.")
private let bodyTooLarge = AdminProblem(413, "body_too_large", "A body may have \(AdminRequest.maxBodyBytes) bytes.")
