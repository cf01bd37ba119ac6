internal import EdgeCore

extension AdminAPI {
  /// What concerns connections.
  static let connectionOperations: [AdminOperation] = [
    .read("/api/v1/connections", by: .role(.viewer), takesQuery: true) { call throws(AdminProblem) in
      let query = try ConnectionQuery(call.request.query)
      return .json(try call.asked { () throws(AdminBackendError) in try call.backend.connections(query) }.json)
    },
    .read("/api/v1/connections/{id}", by: .role(.viewer)) { call throws(AdminProblem) in
      let id = try call.named { ConnectionID($0) }
      guard let found = try call.asked({ () throws(AdminBackendError) in try call.backend.connection(id) }) else {
        throw noConnection(id)
      }
      return .json(found.json(now: try call.wallTime()))
    },
    .write(.delete, "/api/v1/connections/{id}", by: .operator, action: "connection.disconnect") { call throws(AdminProblem) in
      let id = try call.named { ConnectionID($0) }
      let order = try DisconnectOrder(call.request)
      call.detail = order.json
      let backend = call.backend
      guard try call.asked({ () throws(AdminBackendError) in try backend.disconnect(id, code: order.code, reason: order.reason) })
      else {
        throw noConnection(id)
      }
      return .json(["id": .string(id.description), "code": .integer(Int64(order.code)), "reason": .string(order.reason)])
    },
  ]
}

private func noConnection(_ id: ConnectionID) -> AdminProblem {
  AdminProblem(404, "no_such_connection", "There is no connection \(id).")
}
