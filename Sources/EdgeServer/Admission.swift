import EdgeAuth
import EdgeCore
import EdgeHTTP
import EdgeWebSocket

/// A request that the gate let in: where it goes, who sent it, and how the worker gets it.
struct Admission {
  let route: Route
  let origin: RequestOrigin
  let user: UserID?
  let upgrade: Upgrade?
  let originField: String?
  let requestID: String
  let traceParent: TraceParent
  /// The request's head as the worker gets it, rebuilt from parsed fields.
  let workerHead: [UInt8]

  /// - Parameter head: the client's request, without what the route strips.
  init(
    route: Route, head: RequestHead, origin: RequestOrigin, user: AuthenticatedUser?, upgrade: Upgrade?, snapshot: Snapshot
  ) {
    self.route = route
    self.origin = origin
    self.user = user?.id
    self.upgrade = upgrade
    originField = head.fields["Origin"]
    requestID = head.requestID ?? hexadecimal(.random(in: .min ... .max)) + hexadecimal(.random(in: .min ... .max))
    traceParent =
      head.traceParent
      ?? TraceParent(random: (.random(in: .min ... .max), .random(in: .min ... .max), .random(in: .min ... .max)))
    let forwarding = ForwardingContext(
      clientChain: origin.clientChain, scheme: origin.scheme, port: head.authority?.port ?? origin.scheme.defaultPort,
      requestID: requestID, traceParent: traceParent, identityFields: user?.identityFields ?? [],
      identityNames: snapshot.identityNames)
    var bytes: [UInt8] = []
    if let upgrade {
      var handshake: HTTPFields = [:]
      upgrade.worker.replaceFields(in: &handshake)
      WorkerRequest(upgrading: head, context: forwarding, handshake: handshake).serialize(into: &bytes)
    } else {
      WorkerRequest(head, context: forwarding, forwardsExpectation: true).serialize(into: &bytes)
    }
    workerHead = bytes
  }
}

private func hexadecimal(_ value: UInt64) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}
