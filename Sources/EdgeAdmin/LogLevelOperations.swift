internal import EdgeCore
internal import EdgeTelemetry

extension AdminAPI {
  /// What concerns the level from which on the edge logs.
  static let logLevelOperations: [AdminOperation] = [
    .read("/api/v1/log-level", by: .role(.viewer)) { call in .json(levelJSON(call.backend.logLevel())) },
    .write(.put, "/api/v1/log-level", by: .operator, action: "log_level.set") { call throws(AdminProblem) in
      var members = try AdminMembers(call.request)
      let level = try members.take("level", expecting: "debug, info, warning or error") { value in
        levels.first { $0.word == value.stringValue }?.level
      }
      try members.finish()
      guard let level else { throw AdminProblem(400, "bad_body", "Say which level is meant.").about("level") }
      call.detail = ["from": .string(word(of: call.backend.logLevel())), "to": .string(word(of: level))]
      call.backend.setLogLevel(level)
      return .json(levelJSON(level))
    },
  ]
}

private func levelJSON(_ level: LogLevel) -> JSON {
  ["level": .string(word(of: level))]
}

private func word(of level: LogLevel) -> String {
  levels.first { $0.level == level }?.word ?? level.rawValue
}

/// The words of the API; the configuration and log lines have `warn` for the third.
private let levels: [(word: String, level: LogLevel)] = [
  ("debug", .debug), ("info", .info), ("warning", .warning), ("error", .error),
]
