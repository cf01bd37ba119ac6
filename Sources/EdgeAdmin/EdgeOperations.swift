internal import EdgeCore

extension AdminAPI {
  /// What concerns the edge as a whole.
  static let edgeOperations: [AdminOperation] = [
    .read("/api/v1/status", by: .role(.viewer)) { call throws(AdminProblem) in
      .json(try call.asked { () throws(AdminBackendError) in try call.backend.status() }.json)
    },
    .read("/api/v1/openapi.json", by: .role(.viewer)) { _ in
      AdminResponse(type: "application/json", body: APIDocument.bytes)
    },
  ]
}
