internal import EdgeCore
public import EdgePolicy

/// A rule that somebody asks for: the body of `POST /api/v1/rules`.
///
/// `action` and whom it is about (see `RuleEffect`), and with them `ttl_seconds`, `reason` and `all`.
public struct RuleOrder: Equatable, Sendable {
  /// What it does, and to whom.
  public var effect: RuleEffect
  /// For how long; nil for good.
  public var ttl: Duration?
  /// Why.
  public var reason: RuleReason?
  /// Who asks.
  public var author: String
  /// Whether it may concern whole address families, every user, or who asks.
  var isSweepingMeant: Bool

  init(_ request: AdminRequest, author: String, now: WallTime) throws(AdminProblem) {
    guard let body = try request.json() else {
      throw AdminProblem(400, "bad_body", "Send a JSON object with action, whom it is about, and perhaps ttl_seconds and reason.")
    }
    do throws(RuleFlaw) {
      var members = try RuleMembers(body)
      effect = try RuleEffect(taking: &members)
      reason = try members.takeReason()
      ttl = try members.takeTTL()
      isSweepingMeant = try members.take("all", expecting: "true or false", \.boolValue) ?? false
      try members.finish()
      if let time = effect.issuedBefore, time > now {
        throw RuleFlaw("issued_before", "issued_before must not lie in the future")
      }
    } catch {
      throw AdminProblem(400, "bad_body", "\(error).").about(error.member)
    }
    self.author = author
  }

  /// What is said of it in the audit log.
  var json: JSON {
    .object(
      effect.json + [
        JSON.Member(name: "ttl_seconds", value: ttl.map { .integer($0.components.seconds) } ?? .null),
        JSON.Member(name: "reason", value: reason.map { .string($0.text) } ?? .null),
      ])
  }

  /// Whether it concerns more than anybody means by mistake: an address family, everybody's tokens, or whoever asks.
  func isSweeping(askedFrom peer: AdminPeer) -> Bool {
    switch effect {
    case .ban(.network(let block)), .throttle(.network(let block), _):
      block.prefixBits == 0 || peer.address.map(block.contains) ?? false
    case .revoke(.ofAuth): true
    case .ban(.user), .throttle(.user, _), .revoke(.ofUser), .revoke(.token): false
    }
  }
}

extension RuleMembers {
  /// Takes the member `ttl_seconds` out.
  mutating func takeTTL() throws(RuleFlaw) -> Duration? {
    try take("ttl_seconds", expecting: "a whole number from 1 to \(maxSeconds)") { value in
      value.integerValue.flatMap { (1...maxSeconds).contains($0) ? .seconds($0) : nil }
    }
  }
}

/// What became of an order.
public enum RuleOutcome: Sendable {
  /// The rule is in force.
  ///
  /// - isNew: whether it was not there before.
  /// - isPersisted: whether it survives a restart.
  /// - closed: how many WebSockets and requests it ended; nil where reactors did not say in time.
  case inForce(Rule, isNew: Bool, isPersisted: Bool, closed: Int?)
  /// There is no room for it.
  case full(maxRules: Int)
  /// It names an `auth` block that there is not.
  case unknownAuth(String)
}

extension RuleEffect {
  fileprivate var issuedBefore: WallTime? {
    switch self {
    case .revoke(.ofUser(_, let time)): time
    case .revoke(.ofAuth(_, let time)): time
    case .ban, .throttle, .revoke(.token): nil
    }
  }
}

extension AdminPeer {
  fileprivate var address: IPAddress? {
    switch self {
    case .unix: nil
    case .tcp(let address): address.ip
    }
  }
}

/// Ten years.
private let maxSeconds: Int64 = 10 * 365 * 86_400
