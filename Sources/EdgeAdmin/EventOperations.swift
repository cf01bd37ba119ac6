internal import EdgeCore

extension AdminAPI {
  /// What concerns events.
  static let eventOperations: [AdminOperation] = [
    .read("/api/v1/events", by: .role(.viewer), takesQuery: true) { call throws(AdminProblem) in
      let filter = try EventFilter(call.request.query)
      guard call.request.method == "GET" else { return .stream(nil) }
      guard let reader = call.backend.events.subscribe(filter, now: call.now) else {
        throw AdminProblem(503, "readers_full", "\(EventHub.maxReaders) read the events already; ask again when one has left.")
          .with("Retry-After", "15")
      }
      return .stream(reader)
    }
  ]
}

extension EventFilter {
  /// Reads the parameters of `GET /api/v1/events`.
  init(_ query: Substring) throws(AdminProblem) {
    var parameters = try AdminQuery(query)
    let words = AdminEvent.Kind.allCases.map(\.rawValue).joined(separator: ",")
    kinds =
      try parameters.take("types", expecting: "some of \(words)") { text in
        let kinds = text.split(separator: ",", omittingEmptySubsequences: false).map { AdminEvent.Kind(rawValue: String($0)) }
        return kinds.contains(nil) ? nil : Set(kinds.compactMap { $0 })
      } ?? kinds
    route = parameters.take("route")
    user = parameters.take("user")
    addresses = try parameters.take("ip", expecting: "an address or a CIDR block") { CIDR($0) }
    try parameters.finish()
  }
}
