public import EdgeCore

/// Rules as JSON: the same members in the file that keeps them and in the admin API.
extension Rule {
  /// The rule as an object; members that say nothing are left out.
  public var json: JSON {
    var members = [JSON.Member(name: "id", value: .string(id.description))] + effect.json
    members.append(JSON.Member(name: "created", value: .string(created.rfc3339)))
    if let expires { members.append(JSON.Member(name: "expires", value: .string(expires.rfc3339))) }
    if let reason { members.append(JSON.Member(name: "reason", value: .string(reason.text))) }
    members.append(JSON.Member(name: "by", value: .string(author)))
    return .object(members)
  }

  /// Reads what `json` gives, and nothing else.
  public init(_ json: JSON) throws(RuleFlaw) {
    var members = try RuleMembers(json)
    guard let id = try members.take("id", expecting: "a name such as r17", { $0.stringValue.flatMap { RuleID($0) } }),
      let created = try members.takeTime("created"),
      let author = try members.take("by", expecting: "text", \.stringValue)
    else { throw RuleFlaw("id", "id, created and by must all be there") }
    self.id = id
    self.created = created
    self.author = author
    expires = try members.takeTime("expires")
    reason = try members.takeReason()
    effect = try RuleEffect(taking: &members)
    try members.finish()
  }
}

extension RuleEffect {
  /// The word in the member `action`.
  public var action: String {
    switch self {
    case .ban: Action.ban.rawValue
    case .throttle: Action.throttle.rawValue
    case .revoke: Action.revoke.rawValue
    }
  }

  /// Takes the members out that say what a rule does and to whom: `action`; `user`, `ip`, `cidr`, `jti` or `issued_before`, with
  /// `auth`; and the rates of a throttle.
  public init(taking members: inout RuleMembers) throws(RuleFlaw) {
    let words = Action.allCases.map(\.rawValue).joined(separator: ", ")
    let action = try members.take("action", expecting: "one of \(words)") { $0.stringValue.flatMap { Action(rawValue: $0) } }
    let auth = try members.take("auth", expecting: "the name of an auth block", \.stringValue)
    switch action {
    case nil: throw RuleFlaw("action", "must be one of \(words)")
    case .ban: self = .ban(try RuleSubject(taking: &members, auth: auth))
    case .throttle: self = .throttle(try RuleSubject(taking: &members, auth: auth), try Throttle(taking: &members))
    case .revoke: self = .revoke(try RevokedTokens(taking: &members, auth: auth))
    }
  }

  private enum Action: String, CaseIterable {
    case ban
    case throttle
    case revoke
  }

  /// The members that say it.
  public var json: [JSON.Member] {
    let whom: [(String, JSON?)] =
      switch self {
      case .ban(.network(let block)), .throttle(.network(let block), _): [("cidr", .string(block.description))]
      case .ban(.user(let name)), .throttle(.user(let name), _):
        [("user", .string(name.text)), ("auth", name.auth.map(JSON.string))]
      case .revoke(.ofUser(let name, let time)):
        [
          ("user", .string(name.text)), ("auth", name.auth.map(JSON.string)),
          ("issued_before", (time?.rfc3339).map(JSON.string)),
        ]
      case .revoke(.token(let name)): [("jti", .string(name.text)), ("auth", name.auth.map(JSON.string))]
      case .revoke(.ofAuth(let auth, let time)): [("issued_before", .string(time.rfc3339)), ("auth", auth.map(JSON.string))]
      }
    var members = [JSON.Member(name: "action", value: .string(action))]
    for case (let name, let value?) in whom { members.append(JSON.Member(name: name, value: value)) }
    if case .throttle(_, let throttle) = self {
      for case (let name, let limit?) in [("messages", throttle.messages), ("bytes", throttle.bytes)] {
        members.append(JSON.Member(name: name, value: limit.json))
      }
    }
    return members
  }
}

extension RuleSubject {
  fileprivate init(taking members: inout RuleMembers, auth: String?) throws(RuleFlaw) {
    let user = try members.takeName("user", by: auth)
    let address = try members.take("ip", expecting: "an IP address") { $0.stringValue.flatMap { IPAddress($0) } }
    let block = try members.take("cidr", expecting: "a block such as 10.0.0.0/8") { $0.stringValue.flatMap { CIDR($0) } }
    switch (user, address, block) {
    case (let user?, nil, nil): self = .user(user)
    case (nil, let address?, nil): self = .network(CIDR(address, prefixBits: 128))
    case (nil, nil, let block?): self = .network(block)
    case (_, _, _): throw RuleFlaw("user", "a rule is about one subject: give one of user, ip and cidr")
    }
    if auth != nil, user == nil { throw RuleFlaw("auth", "auth goes with user") }
  }
}

extension RevokedTokens {
  fileprivate init(taking members: inout RuleMembers, auth: String?) throws(RuleFlaw) {
    let user = try members.takeName("user", by: auth)
    let token = try members.takeName("jti", by: auth)
    let time = try members.takeTime("issued_before")
    switch (user, token, time) {
    case (let user?, nil, let time): self = .ofUser(user, issuedBefore: time)
    case (nil, let token?, nil): self = .token(token)
    case (nil, nil, let time?): self = .ofAuth(auth, issuedBefore: time)
    case (_, _, _):
      throw RuleFlaw(
        "user", "a revocation is about tokens: give user, jti or issued_before; only user and issued_before go together")
    }
  }
}

extension Throttle {
  /// Takes the members out that say how fast: `messages_per_second` with `burst`, and `bytes_per_second`; or rates over other periods,
  /// `messages` and `bytes`.
  public init(taking members: inout RuleMembers) throws(RuleFlaw) {
    let form = "an object with the positive whole numbers count, per_ms and burst"
    var messages = try members.take("messages", expecting: form) { GCRA($0) }
    var bytes = try members.take("bytes", expecting: form) { GCRA($0) }
    let burst = try members.takeCount("burst")
    if let count = try members.takeCount("messages_per_second") {
      messages = GCRA(units: count, per: .seconds(1), burst: burst ?? count)
    } else if burst != nil {
      throw RuleFlaw("burst", "burst goes with messages_per_second")
    }
    if let count = try members.takeCount("bytes_per_second") { bytes = GCRA(units: count, per: .seconds(1), burst: count) }
    guard messages != nil || bytes != nil else {
      throw RuleFlaw("messages_per_second", "a throttle needs messages_per_second, bytes_per_second or both")
    }
    self.init(messages: messages, bytes: bytes)
  }
}

extension GCRA {
  fileprivate init?(_ json: JSON) {
    guard json.members?.count == 3, let count = json["count"]?.integerValue, let period = json["per_ms"]?.integerValue,
      let burst = json["burst"]?.integerValue, count > 0, period > 0, burst > 0
    else { return nil }
    self.init(units: UInt64(count), per: .milliseconds(period), burst: UInt64(burst))
  }

  fileprivate var json: JSON {
    [
      "count": .integer(Int64(clamping: units)), "per_ms": .integer(Int64(clamping: periodNanoseconds / 1_000_000)),
      "burst": .integer(Int64(clamping: burst)),
    ]
  }
}

/// A member of a rule's JSON that is missing or wrong.
public struct RuleFlaw: Error, Hashable, Sendable, CustomStringConvertible {
  /// The member's name.
  public let member: String
  /// What is wrong, and what was expected.
  public let description: String

  /// Makes a flaw.
  public init(_ member: String, _ description: String) {
    self.member = member
    self.description = description
  }
}

/// The members of an object, taken out one by one, so that those are noticed that nobody asks for. `null` is as good as absent.
public struct RuleMembers {
  private var members: [JSON.Member]

  /// - Throws: `RuleFlaw` where the value is no object.
  public init(_ value: JSON) throws(RuleFlaw) {
    guard let members = value.members else { throw RuleFlaw("", "a rule must be an object") }
    self.members = members
  }

  /// Takes a member out and reads it with `parse`, which gives nil for what it does not accept.
  public mutating func take<Value>(
    _ name: String, expecting expected: @autoclosure () -> String, _ parse: (JSON) -> Value?
  ) throws(RuleFlaw) -> Value? {
    guard let place = members.firstIndex(where: { $0.name == name }) else { return nil }
    let member = members.remove(at: place).value
    guard !member.isNull else { return nil }
    guard let value = parse(member) else { throw RuleFlaw(name, "\(name) must be \(expected())") }
    return value
  }

  /// Takes the member `reason` out.
  public mutating func takeReason() throws(RuleFlaw) -> RuleReason? {
    try take("reason", expecting: "text of 1 to \(RuleReason.maxBytes) bytes without control characters") { value in
      value.stringValue.flatMap { RuleReason($0) }
    }
  }

  /// Takes a positive whole number out.
  public mutating func takeCount(_ name: String) throws(RuleFlaw) -> UInt64? {
    try take(name, expecting: "a positive whole number") { value in
      value.integerValue.flatMap { $0 > 0 ? UInt64($0) : nil }
    }
  }

  /// Refuses members that nobody took.
  public func finish() throws(RuleFlaw) {
    guard let unknown = members.first else { return }
    throw RuleFlaw(unknown.name, "there is no member '\(unknown.name.prefix(64))' here")
  }

  fileprivate mutating func takeTime(_ name: String) throws(RuleFlaw) -> WallTime? {
    try take(name, expecting: "a time such as 2026-01-31T23:59:59Z") { $0.stringValue.flatMap { WallTime(rfc3339: $0) } }
  }

  fileprivate mutating func takeName(_ name: String, by auth: String?) throws(RuleFlaw) -> VouchedName? {
    try take(name, expecting: "text of 1 to \(VouchedName.maxBytes) bytes without control characters") { value in
      value.stringValue.flatMap { VouchedName(checking: $0, by: auth) }
    }
  }
}
