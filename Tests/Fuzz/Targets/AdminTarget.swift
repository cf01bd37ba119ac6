import EdgeAdmin
import EdgeCore
import EdgePolicy
import Synchronization

/// One request to the admin plane: method, target, fields and body of anybody's making, under every role, on every listener.
func fuzzAdmin(_ input: [UInt8]) throws(BrokenClaim) {
  var script = Script(input)
  guard let tokens = try? tokens(), let first = script.byte(), let second = script.byte() else { return }
  let caller = AdminCaller(first)
  let request = adminRequest(caller, second, &script)
  let backend = FakeBackend()
  let access = AdminAccess(tokens: tokens, allowedHosts: ["edge.internal"], ownUserID: 1000, cryptography: cryptography)
  let api = AdminAPI(backend: backend, access: access)
  if let refusal = api.refusalBeforeBody(of: request) { try claimWellFormed(refusal) }
  let before = AdminState(backend)
  let answer = api.respond(to: request, from: caller.peer, scope: caller.scope, now: Instant(nanoseconds: 1))
  try claimWellFormed(answer)
  try claimAllowed(answer, request, from: caller, backend, changed: AdminState(backend) != before)
}

/// What goes out is HTTP, and in the format that it says.
private func claimWellFormed(_ answer: AdminResponse) throws(BrokenClaim) {
  try claim("a status is one", (200...599).contains(answer.status) && answer.status != 500, "\(answer.status)")
  for field in answer.fields {
    let isLine = field.value.unicodeScalars.allSatisfy { (0x20...0x7E).contains($0.value) }
    try claim("an answer's field is one line of ASCII", isLine && !field.name.isEmpty, "\(field.name): \(field.value)")
  }
  let type = answer.fields.first { $0.name == "Content-Type" }?.value ?? ""
  guard type.hasSuffix("json") else { return }
  guard let json = try? JSON(parsing: answer.body, maxDepth: 64) else {
    throw BrokenClaim(claim: "an answer in JSON is JSON; seen: \(String(decoding: answer.body, as: UTF8.self))")
  }
  guard type == "application/problem+json" else { return }
  try claim("a problem says its status", json["status"]?.integerValue, equals: Int64(answer.status))
  try claim("a problem says what it is", json["error"]?.stringValue?.isEmpty == false)
}

/// Who may do nothing changes nothing and learns nothing, and every change has its line in the audit log.
private func claimAllowed(
  _ answer: AdminResponse, _ request: AdminRequest, from caller: AdminCaller, _ backend: FakeBackend, changed: Bool
) throws(BrokenClaim) {
  let audits = backend.audits
  try claim("a request leaves at most one line in the audit log", audits.count <= 1)
  if let record = audits.first { try claim("the audit log has the answer's status", record.status, equals: answer.status) }
  let reads = ["GET", "HEAD"].contains(request.method)
  if reads { try claim("who reads changes nothing", !changed && audits.isEmpty) }
  let path = request.target.prefix { $0 != "?" }
  let isOpen = ["/livez", "/readyz", "/metrics", "/"].contains(path) || path.hasPrefix("/console/")
  let succeeds = answer.status < 400
  if succeeds, !isOpen {
    try claim("nobody learns anything without a role", caller.role != nil)
    try claim("the listener of metrics serves nothing else", caller.scope == .full)
  }
  if succeeds, !reads {
    try claim("every change is in the audit log", audits.count == 1)
    try claim("a viewer changes nothing", caller.role ?? .viewer > .viewer)
    let types = request.fields.filter { ASCII.equalIgnoringCase($0.name, "Content-Type") }.map(\.value)
    let isJSON = types.count == 1 && types[0].lowercased().hasPrefix("application/json")
    try claim("what a page could send unasked changes nothing", isJSON || request.method == "DELETE")
  }
  if changed { try claim("nothing changes that was refused", succeeds) }
  if succeeds, caller.scope == .full { try claimOwnPage(request, from: caller.peer) }
}

/// What succeeds names us, and comes from no other page (DNS rebinding, CSRF).
private func claimOwnPage(_ request: AdminRequest, from peer: AdminPeer) throws(BrokenClaim) {
  let hosts = request.fields.filter { ASCII.equalIgnoringCase($0.name, "Host") }.map(\.value)
  let origins = request.fields.filter { ASCII.equalIgnoringCase($0.name, "Origin") }.map(\.value)
  try claim("Host and Origin are given once", hosts.count <= 1 && origins.count <= 1)
  try claim("no other page's name is ours", !hosts.contains { $0.lowercased().hasPrefix("evil.example") })
  try claim("no other page may ask", !origins.contains { $0.lowercased().hasPrefix("http://evil.example") })
  if case .tcp = peer { try claim("over TCP a host is named", hosts.count == 1) }
}

/// What a change would show in.
private struct AdminState: Equatable {
  private let rules: Int
  private let disconnects: Int
  private let jobs: Int
  private let orders: Int
  private let isDraining: Bool
  private let throttles: Int
  private let level: String

  init(_ backend: FakeBackend) {
    (rules, disconnects, jobs, orders, isDraining, throttles, level) = backend.state.withLock { state in
      (
        Array(state.rules.all).count, state.disconnects.count, state.jobs.count, state.workerOrders.count, state.drain != nil,
        state.connections.count { $0.throttle != nil }, "\(state.logLevel)"
      )
    }
  }
}
