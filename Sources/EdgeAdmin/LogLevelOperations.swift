internal import EdgeCore
internal import EdgeTelemetry

extension AdminAPI {
  /// What concerns the level from which on the edge logs.
  static let logLevelOperations: [AdminOperation] = [
    .read("/api/v1/log-level", by: .role(.viewer)) { call in .json(levelJSON(call.backend.logLevel())) },
    .write(.put, "/api/v1/log-level", by: .operator, action: "log_level.set") { call throws(AdminProblem) in
      var members = try AdminMembers(call.request)
      let level = try members.take("level", expecting: "debug, info, warn or error") { value in
        value.stringValue.flatMap { LogLevel(rawValue: $0) }
      }
      try members.finish()
      guard let level else { throw AdminProblem(400, "bad_body", "Say which level is meant.").about("level") }
      call.detail = ["from": .string(call.backend.logLevel().rawValue), "to": .string(level.rawValue)]
      call.backend.setLogLevel(level)
      return .json(levelJSON(level))
    },
  ]
}

private func levelJSON(_ level: LogLevel) -> JSON {
  ["level": .string(level.rawValue)]
}
