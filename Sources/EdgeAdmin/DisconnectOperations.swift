internal import EdgeCore

extension AdminAPI {
  /// What closes many connections.
  static let disconnectOperations: [AdminOperation] = [
    .write(.post, "/api/v1/connections/disconnect", by: .operator, action: "connections.disconnect") {
      call throws(AdminProblem) in
      try call.disconnect()
    },
    .read("/api/v1/connections/disconnect/{job}", by: .role(.viewer)) { call throws(AdminProblem) in
      let name = try call.named { String($0) }
      guard let job = call.backend.disconnectJob(name) else { throw noJob(name) }
      return .json(job.json)
    },
    .write(.delete, "/api/v1/connections/disconnect/{job}", by: .operator, action: "connections.disconnect.stop") {
      call throws(AdminProblem) in
      let name = try call.named { String($0) }
      guard let job = call.backend.stopDisconnectJob(name) else { throw noJob(name) }
      call.detail = job.json
      return .json(job.json)
    },
  ]
}

extension AdminCall {
  /// Closes many connections. Operators may, but for everybody's.
  fileprivate mutating func disconnect() throws(AdminProblem) -> AdminResponse {
    let order = try BulkDisconnectOrder(request)
    detail = .object(order.members)
    if order.isSweeping { try require(.admin) }
    let backend = backend
    switch try asked({ () throws(AdminBackendError) in try backend.disconnect(order) }) {
    case .counted(let matched): return answer(order, matched: matched, closed: 0)
    case .closed(let closed, let matched): return answer(order, matched: matched, closed: closed)
    case .began(let job):
      target = job.name
      return answer(order, matched: job.matched, closed: job.closed, job: job.name)
        .with("Location", "/api/v1/connections/disconnect/\(job.name)")
    case .busy(let maxJobs):
      throw AdminProblem(409, "jobs_full", "\(maxJobs) such orders are being carried out; wait until one is over, or stop one.")
    }
  }

  private mutating func answer(_ order: BulkDisconnectOrder, matched: Int, closed: Int, job: String? = nil) -> AdminResponse {
    let counts = [
      JSON.Member(name: "matched", value: .integer(Int64(matched))), JSON.Member(name: "closed", value: .integer(Int64(closed))),
    ]
    detail = .object(order.members + counts)
    let name = JSON.Member(name: "job", value: job.map(JSON.string) ?? .null)
    return .json(.object(counts + [name]), status: job == nil ? 200 : 202)
  }
}

private func noJob(_ name: String) -> AdminProblem {
  AdminProblem(404, "no_such_job", "There is no order \(quoted(name)), or it was over long ago.")
}
