internal import EdgeCore

/// One request, while an operation answers it.
struct AdminCall {
  let request: AdminRequest
  let peer: AdminPeer
  let now: Instant
  let backend: any AdminBackend
  /// Who asks; nil where that is not asked.
  let who: AdminIdentity?
  /// What stands in the path for the segments in braces, in their order.
  let parameters: [String]
  /// What the audit log says it was done to.
  var target: String
  /// What else the audit log says of it.
  var detail = JSON.null

  init(
    _ request: AdminRequest, from peer: AdminPeer, now: Instant, backend: any AdminBackend, who: AdminIdentity?,
    parameters: [String], target: String
  ) {
    self.request = request
    self.peer = peer
    self.now = now
    self.backend = backend
    self.who = who
    self.parameters = parameters
    self.target = target
  }

  /// Asks the backend; that it does not answer is a problem of its own.
  func asked<Value>(_ question: () throws(AdminBackendError) -> Value) throws(AdminProblem) -> Value {
    do throws(AdminBackendError) {
      return try question()
    } catch {
      switch error {
      case .timeout: throw AdminProblem(503, "timeout", "The edge did not answer in time; ask again.").with("Retry-After", "1")
      case .stopping: throw AdminProblem(503, "stopping", "The edge is going down.")
      }
    }
  }

  /// The wall clock, as the edge reads it.
  func wallTime() throws(AdminProblem) -> WallTime {
    try asked { () throws(AdminBackendError) in try backend.status().now.wallTime }
  }

  /// Refuses whoever has less than this role, for what needs more than the operation does.
  func require(_ role: AdminRole) throws(AdminProblem) {
    try who?.require(role)
  }

  /// What the first segment in braces names, read with `parse`.
  ///
  /// - Parameter problem: what is thrown where it is no name at all.
  func named<Name>(orThrow problem: AdminProblem = .nothingHere, _ parse: (Substring) -> Name?) throws(AdminProblem) -> Name {
    guard let name = parameters.first.flatMap({ parse($0[...]) }) else { throw problem }
    return name
  }
}

extension AdminIdentity {
  /// Refuses an identity of a lower role.
  func require(_ needed: AdminRole) throws(AdminProblem) {
    guard role >= needed else {
      throw AdminProblem(403, "role_too_low", "This needs the role \(needed.rawValue); \(name) is \(role.rawValue).")
    }
  }
}

extension AdminProblem {
  /// There is nothing at the path.
  static let nothingHere = AdminProblem(404, "not_found", "There is nothing at this path; the API begins at /api/v1.")
}
