internal import EdgeCore

extension AdminAPI {
  /// The console. Its files tell nothing of the edge, so that anybody may have them; what the page asks for afterwards needs a role.
  static let consoleOperations: [AdminOperation] = [
    .read("/", by: .open) { call throws(AdminProblem) in try consoleFile("", call) },
    .read("/console/{file}", by: .open) { call throws(AdminProblem) in try consoleFile(call.parameters.first ?? "", call) },
    .read("/api/v1/whoami", by: .role(.viewer)) { call in
      .json(["name": call.who.map { .string($0.name) } ?? .null, "role": call.who.map { .string($0.role.rawValue) } ?? .null])
    },
  ]
}

private func consoleFile(_ name: String, _ call: AdminCall) throws(AdminProblem) -> AdminResponse {
  guard let file = ConsoleFiles.files[name] else { throw .nothingHere }
  return file.answer(to: call.request)
}
