internal import EdgeCore

extension AdminAPI {
  /// What concerns the configuration.
  static let configurationOperations: [AdminOperation] = [
    .read("/api/v1/config", by: .role(.viewer)) { call throws(AdminProblem) in
      try call.asked { () throws(AdminBackendError) in try call.backend.configuration() }.answer(to: call.request)
    },
    .write(.post, "/api/v1/config/validate", by: .operator, action: "config.validate") { call throws(AdminProblem) in
      try call.validate()
    },
    .write(.post, "/api/v1/reload", by: .admin, action: "config.reload") { call throws(AdminProblem) in
      try call.request.checkHasNoMembers()
      let backend = call.backend
      let changes = try call.asked { () throws(AdminBackendError) in try backend.reload() }.changes()
      call.detail = .array(changes.map { .string($0.path) })
      return .json([
        "applied": true, "changed": .bool(changes.contains { !$0.needsRestart }), "diff": .array(changes.map(\.json)),
        "needs_restart": .array(changes.filter(\.needsRestart).map { .string($0.path) }),
      ])
    },
  ]
}

extension AdminCall {
  /// Says what a configuration would change. One that takes in the edge's environment variables is for admins: they may be secrets,
  /// and an error may tell them.
  fileprivate func validate() throws(AdminProblem) -> AdminResponse {
    guard let members = try request.json()?.members, members.count == 1, let yaml = members[0].value.stringValue,
      members[0].name == "yaml"
    else {
      throw AdminProblem(400, "bad_body", "Send a JSON object with the configuration as text in yaml.").about("yaml")
    }
    if yaml.contains("${") { try require(.admin) }
    let changes = try asked { () throws(AdminBackendError) in try backend.validate(yaml) }.changes()
    return .json(["valid": true, "diff": .array(changes.map(\.json))])
  }
}

extension AdminRequest {
  /// Refuses a body that says anything.
  fileprivate func checkHasNoMembers() throws(AdminProblem) {
    guard let member = try json().map({ $0.members ?? [.init(name: "", value: .null)] })?.first else { return }
    throw AdminProblem(400, "bad_body", "Send an empty JSON object.").about(member.name)
  }
}

extension ReloadOutcome {
  /// What changes.
  ///
  /// - Throws: 422 with everything that is wrong.
  fileprivate func changes() throws(AdminProblem) -> [ConfigurationChange] {
    switch self {
    case .applied(let changes): return changes
    case .refused(let flaws):
      throw AdminProblem(
        422, "bad_configuration", "The configuration cannot be used; the one in force stays. See errors.", flaws: flaws)
    }
  }
}

extension ConfigurationChange {
  fileprivate var needsRestart: Bool { effect == "needs_restart" }

  fileprivate var json: JSON {
    [
      "path": .string(path), "old": old.map { .string($0) } ?? .null, "new": new.map { .string($0) } ?? .null,
      "effect": .string(effect),
    ]
  }
}

extension ConfigurationFlaw {
  var json: JSON {
    [
      "path": .string(path), "line": line.map { .integer(Int64($0)) } ?? .null,
      "column": column.map { .integer(Int64($0)) } ?? .null, "message": .string(message),
    ]
  }
}

extension AdminConfiguration {
  /// The configuration as the client likes it best, unless the client has it.
  fileprivate func answer(to request: AdminRequest) -> AdminResponse {
    let wantsYAML = request.values(of: "Accept").contains { $0.contains("yaml") }
    // The same in two forms: equivalent, not equal byte by byte (RFC 9110 §8.8.1).
    let tag = "W/\"\(etag)\""
    let known = request.values(of: "If-None-Match").flatMap { $0.split(separator: ",") }
    let isKnown = known.contains { field in
      let given = field.trimmingSpaces
      return given == "*" || given == tag || given == tag.dropFirst(2)
    }
    if isKnown { return AdminResponse(status: 304, fields: []).with("ETag", tag).with("Vary", "Accept") }
    let answer =
      wantsYAML
      ? AdminResponse(type: "application/yaml", body: Array(yaml.utf8)) : .json(["etag": .string(etag), "config": json])
    return answer.with("ETag", tag).with("Vary", "Accept")
  }
}

extension Substring {
  fileprivate var trimmingSpaces: Substring {
    let start = drop { $0 == " " }
    return start.lastIndex { $0 != " " }.map { start[...$0] } ?? ""
  }
}
