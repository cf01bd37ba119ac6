internal import EdgeCore
internal import EdgePolicy

/// Which rules a client of the API asked for: the parameters of `GET /api/v1/rules`.
struct RuleQuery: Equatable {
  private var limit = ConnectionQuery.defaultLimit
  private var cursor: RuleID?
  private var action: String?
  private var user: String?
  private var addresses: CIDR?

  init(_ query: Substring) throws(AdminProblem) {
    var parameters = try AdminQuery(query)
    limit = try parameters.takeLimit(upTo: ConnectionQuery.maxLimit) ?? limit
    cursor = try parameters.take("cursor", expecting: "the next_cursor of a page") { RuleID($0) }
    action = try parameters.take("action", expecting: "ban, throttle or revoke") {
      ["ban", "throttle", "revoke"].contains($0) ? $0 : nil
    }
    user = parameters.take("user")
    addresses = try parameters.take("ip", expecting: "an address or a CIDR block") { CIDR($0) }
    try parameters.finish()
  }

  /// One page, in the order of the names; a page goes on behind the last name of the one before, whatever came or went meanwhile.
  func page(of rules: [Rule], now: WallTime) -> JSON {
    let matched = rules.filter(matches)
    let rest = matched.filter { rule in cursor.map { $0 < rule.id } ?? true }.sorted { $0.id < $1.id }
    let shown = rest.prefix(limit)
    return [
      "now": .string(now.rfc3339), "total": .integer(Int64(rules.count)), "matched": .integer(Int64(matched.count)),
      "next_cursor": rest.count > shown.count ? shown.last.map { .string($0.id.description) } ?? .null : .null,
      "rules": .array(shown.map(\.json)),
    ]
  }

  private func matches(_ rule: Rule) -> Bool {
    if let action, rule.effect.action != action { return false }
    if let user, !(rule.effect.user?.utf8.elementsEqual(user.utf8) ?? false) { return false }
    if let addresses, !(rule.effect.network?.meets(addresses) ?? false) { return false }
    return true
  }
}

extension RuleEffect {
  fileprivate var user: String? {
    switch self {
    case .ban(.user(let name)), .throttle(.user(let name), _), .revoke(.ofUser(let name, _)): name.text
    case .ban(.network), .throttle(.network, _), .revoke(.token), .revoke(.ofAuth): nil
    }
  }

  fileprivate var network: CIDR? {
    switch self {
    case .ban(.network(let block)), .throttle(.network(let block), _): block
    case .ban(.user), .throttle(.user, _), .revoke: nil
    }
  }
}

extension CIDR {
  /// Whether one of both holds the other.
  fileprivate func meets(_ other: CIDR) -> Bool {
    prefixBits <= other.prefixBits ? contains(other.network) : other.contains(network)
  }
}
