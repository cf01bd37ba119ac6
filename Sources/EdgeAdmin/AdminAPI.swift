public import EdgeCore

/// Answers the requests of the admin plane: a function of the request, of who sent it, and of what the backend says.
///
/// `operations` is all that it does, a row for each; here is what holds for every row: who may, from where, in which form.
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

  /// Everything that it does.
  static let operations: [AdminOperation] = [
    probeOperations, edgeOperations, inventoryOperations, logLevelOperations, workerOperations, drainOperations,
    connectionOperations, disconnectOperations, ruleOperations, configurationOperations, eventOperations, consoleOperations,
  ].flatMap { $0 }

  /// Where the streams of events come from.
  var events: EventHub { backend.events }

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
    let found = Self.operations(at: request.path)
    guard let first = found.first else { throw .nothingHere }
    switch scope {
    case .full: try access.checkHostAndOrigin(request, from: peer)
    case .metricsOnly: guard first.operation.access == .probe else { throw .nothingHere }
    }
    let method = request.method == "HEAD" ? "GET" : request.method
    guard let (operation, parameters) = found.first(where: { $0.operation.method.rawValue == method }) else {
      throw methodNotAllowed(found.map(\.operation.method))
    }
    guard let action = operation.action else {
      return try perform(operation, parameters, request, from: peer, now: now) { _ in }
    }
    return try perform(operation, parameters, request, from: peer, now: now, action: action)
  }

  /// What may be done at a path. Where a word and a segment in braces stand in the same place, the word is meant.
  private static func operations(at path: Substring) -> [(operation: AdminOperation, parameters: [String])] {
    let found = operations.compactMap { operation in
      operation.path.parameters(of: path).map { (operation: operation, parameters: $0) }
    }
    let fewest = found.map(\.parameters.count).min()
    return found.filter { $0.parameters.count == fewest }
  }

  /// Makes a change. Whatever comes of it leaves an audit record.
  private func perform(
    _ operation: AdminOperation, _ parameters: [String], _ request: AdminRequest, from peer: AdminPeer, now: Instant,
    action: String
  ) throws(AdminProblem) -> AdminResponse {
    var record = AuditRecord(
      who: nil, peer: peer, action: action, target: operation.target(parameters), status: 200, detail: .null)
    defer { backend.audit(record) }
    do throws(AdminProblem) {
      let answer = try perform(operation, parameters, request, from: peer, now: now) { call in
        (record.who, record.target, record.detail) = (call.who, call.target, call.detail)
      }
      record.status = answer.status
      return answer
    } catch {
      record.status = error.status
      throw error
    }
  }

  /// - Parameter note: is told of the call once it is known who asks, and again when it is over.
  private func perform(
    _ operation: AdminOperation, _ parameters: [String], _ request: AdminRequest, from peer: AdminPeer, now: Instant,
    note: (AdminCall) -> Void
  ) throws(AdminProblem) -> AdminResponse {
    let who: AdminIdentity? =
      switch operation.access {
      case .probe, .open: nil
      case .role(let role): try access.authorize(request, from: peer, needing: role, now: now)
      }
    var call = AdminCall(
      request, from: peer, now: now, backend: backend, who: who, parameters: parameters,
      target: operation.target(parameters))
    note(call)
    defer { note(call) }
    if !operation.takesQuery { try AdminQuery(request.query).finish() }
    if operation.method.hasBody { try request.checkIsJSON() }
    return try operation.answer(&call)
  }
}

extension AdminOperation {
  /// What the audit log says it was done to, until the operation knows better: what the path names, or its last word.
  fileprivate func target(_ parameters: [String]) -> String {
    parameters.first ?? path.lastWord
  }
}

extension AdminOperation.Method {
  /// Whether a request of the method has a body, be it empty. A page elsewhere can make a browser send it unasked, but not with
  /// the type of JSON; a `DELETE` it cannot send at all.
  fileprivate var hasBody: Bool {
    switch self {
    case .post, .put, .patch: true
    case .get, .delete: false
    }
  }
}

private func methodNotAllowed(_ methods: [AdminOperation.Method]) -> AdminProblem {
  let names = methods.flatMap { $0 == .get ? ["GET", "HEAD"] : [$0.rawValue] }.joined(separator: ", ")
  return AdminProblem(405, "method_not_allowed", "This takes \(names).").with("Allow", names)
}

private let bodyTooLarge = AdminProblem(413, "body_too_large", "A body may have \(AdminRequest.maxBodyBytes) bytes.")
