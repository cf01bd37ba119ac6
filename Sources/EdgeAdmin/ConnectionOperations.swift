internal import EdgeCore
internal import EdgePolicy

extension AdminAPI {
  /// What concerns connections.
  static let connectionOperations: [AdminOperation] = [
    .read("/api/v1/connections", by: .role(.viewer), takesQuery: true) { call throws(AdminProblem) in
      let query = try ConnectionQuery(call.request.query)
      let page = try call.asked { () throws(AdminBackendError) in try call.backend.connections(query) }
      return AdminResponse(type: "application/json", body: page.encoded(giveWay: call.backend.giveWay))
    },
    .read("/api/v1/connections/{id}", by: .role(.viewer)) { call throws(AdminProblem) in
      let id = try call.named(orThrow: noIdentifier) { ConnectionID($0) }
      guard let found = try call.asked({ () throws(AdminBackendError) in try call.backend.connection(id) }) else {
        throw noConnection(id)
      }
      return .json(found.json(now: call.now))
    },
    .write(.delete, "/api/v1/connections/{id}", by: .operator, action: "connection.disconnect") { call throws(AdminProblem) in
      let id = try call.named(orThrow: noIdentifier) { ConnectionID($0) }
      let order = try DisconnectOrder(call.request)
      call.detail = order.json
      let backend = call.backend
      guard try call.asked({ () throws(AdminBackendError) in try backend.disconnect(id, order) }) else { throw noConnection(id) }
      return .json(.object([JSON.Member(name: "id", value: .string(id.description))] + order.members))
    },
    .write(.put, "/api/v1/connections/{id}/throttle", by: .operator, action: "connection.throttle") { call throws(AdminProblem) in
      let order = try ThrottleOrder(call.request)
      call.detail = order.json
      return try call.throttle((order.rates, order.ttl))
    },
    .write(.delete, "/api/v1/connections/{id}/throttle", by: .operator, action: "connection.unthrottle") {
      call throws(AdminProblem) in try call.throttle(nil)
    },
    .read("/api/v1/top", by: .role(.viewer), takesQuery: true) { call throws(AdminProblem) in
      let query = try TopQuery(call.request.query)
      return .json(try call.asked { () throws(AdminBackendError) in try call.backend.talkers(query.subject) }.json(query))
    },
  ]
}

extension AdminCall {
  fileprivate func throttle(_ throttle: (rates: Throttle, ttl: Duration?)?) throws(AdminProblem) -> AdminResponse {
    let id = try named(orThrow: noIdentifier) { ConnectionID($0) }
    guard let found = try asked({ () throws(AdminBackendError) in try backend.throttle(id, throttle) }) else {
      throw noConnection(id)
    }
    return .json(found.json(now: now))
  }
}

private func noConnection(_ id: ConnectionID) -> AdminProblem {
  AdminProblem(404, "no_such_connection", "There is no connection \(id).")
}

private let noIdentifier = AdminProblem(
  404, "no_such_connection", "A connection's identifier has 16 hexadecimal digits, as the list of connections shows it.")
