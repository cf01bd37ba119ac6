import EdgeAuth
import EdgeConfig
import EdgeCore
import EdgeHTTP
import EdgeRelay
import EdgeRouting

/// A route as the reactors use it: the configuration's, with everything resolved. Immutable.
final class Route: Sendable {
  /// Its place in the configuration, and in the metrics.
  let index: Int
  let name: String
  let pool: WorkerPoolState
  let origins: OriginRule
  let gate: TokenGate?
  let identityHeaders: [IdentityHeader]
  let stripsToken: Bool
  let subprotocols: [String]
  let relayLimits: RelayLimits
  /// The most that may wait for a slow peer, in bytes.
  let maxSendQueueBytes: Int
  let closeCodes: Configuration.CloseCodes

  init(
    index: Int, name: String, pool: WorkerPoolState, origins: OriginRule, gate: TokenGate?,
    identityHeaders: [IdentityHeader], stripsToken: Bool, subprotocols: [String], relayLimits: RelayLimits,
    maxSendQueueBytes: Int, closeCodes: Configuration.CloseCodes
  ) {
    self.index = index
    self.name = name
    self.pool = pool
    self.origins = origins
    self.gate = gate
    self.identityHeaders = identityHeaders
    self.stripsToken = stripsToken
    self.subprotocols = subprotocols
    self.relayLimits = relayLimits
    self.maxSendQueueBytes = maxSendQueueBytes
    self.closeCodes = closeCodes
  }
}

extension Route {
  /// What the worker is told of a verified user.
  ///
  /// - Throws: `TokenError.invalid` where a claim is too long for a header.
  func identityFields(_ token: VerifiedToken) throws(TokenError) -> [HTTPField] {
    var fields: [HTTPField] = []
    for header in identityHeaders {
      if let value = try header.template.value(for: token.claims) { fields.append(HTTPField(name: header.name, value: value)) }
    }
    return fields
  }
}

/// A header that tells the worker who the user is, made from the claims of a verified token.
struct IdentityHeader: Sendable {
  let name: String
  let template: HeaderTemplate
}
