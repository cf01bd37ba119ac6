internal import EdgeTelemetry

extension AdminAPI {
  /// What Prometheus, a load balancer and a supervisor ask.
  static let probeOperations: [AdminOperation] = [
    .read("/metrics", by: .probe) { call throws(AdminProblem) in
      let format = ExpositionFormat(accept: call.request.values(of: "Accept").joined(separator: ","))
      let text = try call.asked { () throws(AdminBackendError) in try call.backend.metrics(as: format) }
      return AdminResponse(type: format.contentType, body: text)
    },
    .read("/livez", by: .probe) { call in
      call.backend.isLive() ? .text(200, "ok") : .text(503, "not live")
    },
    .read("/readyz", by: .probe) { call in
      switch call.backend.readiness() {
      case .ready: .text(200, "ready")
      case .notReady(let reason): .text(503, reason)
      }
    },
  ]
}
