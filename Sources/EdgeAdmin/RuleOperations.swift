internal import EdgeCore
internal import EdgePolicy

extension AdminAPI {
  /// What concerns bans, throttles and revocations.
  static let ruleOperations: [AdminOperation] = [
    .read("/api/v1/rules", by: .role(.viewer), takesQuery: true) { call throws(AdminProblem) in
      let query = try RuleQuery(call.request.query)
      let rules = try call.asked { () throws(AdminBackendError) in try call.backend.rules() }
      return .json(query.page(of: rules, now: try call.wallTime()))
    },
    .read("/api/v1/rules/{id}", by: .role(.viewer)) { call throws(AdminProblem) in
      let id = try call.named(orThrow: noIdentifier) { RuleID($0) }
      guard let rule = try call.asked({ () throws(AdminBackendError) in try call.backend.rule(id) }) else { throw noRule(id) }
      return .json(rule.json)
    },
    .write(.post, "/api/v1/rules", by: .operator, action: "rule.add") { call throws(AdminProblem) in try call.addRule() },
    .write(.delete, "/api/v1/rules/{id}", by: .operator, action: "rule.remove") { call throws(AdminProblem) in
      let id = try call.named(orThrow: noIdentifier) { RuleID($0) }
      let backend = call.backend
      guard let isPersisted = try call.asked({ () throws(AdminBackendError) in try backend.removeRule(id) }) else {
        throw noRule(id)
      }
      return .json(["id": .string(id.description), "persisted": .bool(isPersisted)])
    },
  ]
}

extension AdminCall {
  /// Puts a rule in force. Operators may, but for one that concerns whole address families, everybody's tokens or who asks.
  fileprivate mutating func addRule() throws(AdminProblem) -> AdminResponse {
    let order = try RuleOrder(request, author: who?.name ?? "", now: try wallTime())
    detail = order.json
    if order.isSweeping(askedFrom: peer) {
      guard order.isSweepingMeant else {
        throw AdminProblem(
          400, "sweeping",
          "This concerns a whole address family, everybody's tokens or yourself: say \"all\": true if you mean it."
        ).about("all")
      }
      try require(.admin)
    }
    switch try asked({ () throws(AdminBackendError) in try backend.add(order) }) {
    case .inForce(let rule, let isNew, let isPersisted, let closed):
      target = rule.id.description
      let count = closed.map { JSON.integer(Int64($0)) } ?? .null
      detail = .object((order.json.members ?? []) + [.init(name: "closed", value: count)])
      let answer: JSON = ["rule": rule.json, "persisted": .bool(isPersisted), "closed": count]
      return .json(answer, status: isNew ? 201 : 200).with("Location", "/api/v1/rules/\(rule.id)")
    case .full(let maxRules):
      throw AdminProblem(409, "rules_full", "There are \(maxRules) rules already. Remove some, or wait until some expire.")
    case .unknownAuth(let name):
      throw AdminProblem(400, "bad_body", "There is no auth block \(quoted(name)) in the configuration.").about("auth")
    }
  }
}

private func noRule(_ id: RuleID) -> AdminProblem {
  AdminProblem(404, "no_such_rule", "There is no rule \(id), or its time is over.")
}

private let noIdentifier = AdminProblem(404, "no_such_rule", "A rule's identifier is what the list of rules shows, such as r1.")
