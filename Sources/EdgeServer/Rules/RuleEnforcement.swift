import EdgeConfig
import EdgeCore
import EdgePolicy
import EdgeWebSocket

/// What a rule that comes or goes does to who is connected already. Who comes later meets it at the gate, and a throttle when the
/// WebSocket opens.
///
/// The gate judges and the reactor takes orders on one thread, and a rule is in the table before the order goes out: a client
/// that the gate let in before is found here.
extension ReactorContext {
  /// Closes whom a ban or a revocation concerns, and tells how many WebSockets and requests that were; whom a throttle concerns goes
  /// by those that there are.
  func enforce(_ rule: Rule) -> Int {
    Array(connections.values).count { $0.enforce(rule, of: shared.rules) }
  }
}

extension Client {
  /// Tells whether a WebSocket or a request was ended.
  fileprivate func enforce(_ rule: Rule, of rules: RuleStore) -> Bool {
    if let tunnel { return tunnel.enforce(rule, of: rules) }
    if let exchange { return exchange.enforce(rule) }
    if let reception { return reception.enforce(rule) }
    if case .ban = rule.effect, rule.concerns(RuleClient(address: ownAddress)) { closeIfIdle() }
    return false
  }

  /// The client's address where the client itself is the peer.
  private var ownAddress: IPAddress? {
    snapshot.trustedProxies.contains(peer) ? nil : peer.ip
  }
}

extension Exchange {
  fileprivate func enforce(_ rule: Rule) -> Bool {
    guard let admission, rule.concerns(admission.ruleClient) else { return false }
    switch rule.effect {
    case .ban, .revoke:
      answerOrAbort(.ruledOut(by: rule, admission.route, address: admission.caller.address, closes: true))
      return true
    case .throttle: return false
    }
  }
}

extension Reception {
  fileprivate func enforce(_ rule: Rule) -> Bool {
    guard case .ban = rule.effect, let pending, rule.concerns(RuleClient(address: pending.origin.clientAddress)) else {
      return false
    }
    refuse { .ruledOut(by: rule, $0.route, address: $0.origin.clientAddress, closes: true) }
    return true
  }
}

extension Tunnel {
  /// Goes by the throttles that there are for its client.
  func adoptThrottles(_ rules: RuleStore) {
    setRule(rules.limits(of: ruleClient))
  }

  fileprivate func enforce(_ rule: Rule, of rules: RuleStore) -> Bool {
    guard ending == nil, rule.concerns(ruleClient) else { return false }
    switch rule.effect {
    case .ban: close(CloseCode(rawValue: route.closeCodes.banned), reason: "banned")
    case .revoke: close(CloseCode(rawValue: route.closeCodes.auth), reason: "token_revoked")
    case .throttle:
      adoptThrottles(rules)
      return false
    }
    return true
  }

  private var ruleClient: RuleClient { RuleClient(address: caller.address, user: caller.user, token: token) }
}

extension Admission {
  fileprivate var ruleClient: RuleClient { RuleClient(address: caller.address, user: caller.user, token: token) }
}
