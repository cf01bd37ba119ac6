import EdgeCore
import EdgePolicy

extension Configuration.Rule {
  /// - Parameter auths: the names of the token checks there are.
  static func read(_ section: Section, auths: [String]) -> Configuration.Rule? {
    let ban = section["ban"]
    let throttle = section["throttle"]
    let revoke = section["revoke"]
    let ttl = section.optionalDuration("ttl", in: .seconds(1) ... .seconds(10 * 365 * 86_400))
    let effects: [RuleEffect?] = [
      ban?.section { RuleSubject.read($0, auths: auths).map { .ban($0) } },
      throttle?.section { section in
        let limit = Throttle.read(section)
        return RuleSubject.read(section, auths: auths).map { .throttle($0, limit) }
      },
      revoke?.section { RevokedTokens.read($0, auths: auths).map { .revoke($0) } },
    ]
    guard [ban, throttle, revoke].count(where: { $0 != nil }) == 1 else {
      section.refuse("a rule does one thing", "expected one of ban, throttle and revoke")
      return nil
    }
    return effects.compactMap { $0 }.first.map { Configuration.Rule(effect: $0, ttl: ttl) }
  }

  var node: SettingNode {
    .entries([(effect.action, effect.node), ("ttl", ttl.map(SettingNode.duration) ?? .null)])
  }
}

extension RuleSubject {
  fileprivate static func read(_ section: Section, auths: [String]) -> RuleSubject? {
    let user = section["user"]
    let address = section["ip"]
    let block = section["cidr"]
    let auth = section["auth"]
    guard [user, address, block].count(where: { $0 != nil }) == 1 else {
      section.refuse("a rule holds for one subject", "expected one of user, ip and cidr")
      return nil
    }
    if user == nil, let auth { auth.refuse("auth goes with user", "expected no auth") }
    if let user { return user.vouchedName(by: auth?.reference(to: "auth", among: auths)).map { .user($0) } }
    if let block { return block.network().map { .network($0) } }
    return address?.parsed("an IP address") { IPAddress($0) }.map { .network(CIDR($0, prefixBits: 128)) }
  }

  fileprivate var entries: [(String, SettingNode)] {
    switch self {
    case .user(let name): [("user", .text(name.text)), ("auth", .optionalText(name.auth))]
    case .network(let block): [("cidr", .text(block.description))]
    }
  }
}

extension RevokedTokens {
  fileprivate static func read(_ section: Section, auths: [String]) -> RevokedTokens? {
    let user = section["user"]
    let token = section["jti"]
    let auth = section["auth"]?.reference(to: "auth", among: auths)
    let hasTime = section["issued_before"] != nil
    let time = section["issued_before"]?.parsed("a time such as 2026-01-31T23:59:59Z") { WallTime(rfc3339: $0) }
    switch (user, token, hasTime) {
    case (let user?, nil, _): return user.vouchedName(by: auth).map { .ofUser($0, issuedBefore: time) }
    case (nil, let token?, false): return token.vouchedName(by: auth).map { .token($0) }
    case (nil, nil, true): return time.map { .ofAuth(auth, issuedBefore: $0) }
    case (_, _, _):
      section.refuse(
        "it is not clear which tokens are revoked", "expected user, jti or issued_before, or user with issued_before")
      return nil
    }
  }

  fileprivate var entries: [(String, SettingNode)] {
    switch self {
    case .ofUser(let name, let time):
      [("user", .text(name.text)), ("auth", .optionalText(name.auth)), ("issued_before", .optionalText(time?.rfc3339))]
    case .token(let name): [("jti", .text(name.text)), ("auth", .optionalText(name.auth))]
    case .ofAuth(let auth, let time): [("issued_before", .text(time.rfc3339)), ("auth", .optionalText(auth))]
    }
  }
}

extension Throttle {
  fileprivate static func read(_ section: Section) -> Throttle {
    let messages = section["messages"]?.rate(bytes: false, "a rate such as 5/s")
    let bytes = section["bytes"]?.rate(bytes: true, "a rate in bytes such as 16KiB/s")
    if messages == nil, bytes == nil { section.refuse("the throttle limits nothing", "expected messages, bytes or both") }
    return Throttle(messages: messages.flatMap { GCRA($0) }, bytes: bytes.flatMap { GCRA($0) })
  }

  fileprivate var entries: [(String, SettingNode)] {
    [
      ("messages", messages.map { .rate(Configuration.Rate($0)) } ?? .null),
      ("bytes", bytes.map { .rate(Configuration.Rate($0), bytes: true) } ?? .null),
    ]
  }
}

extension RuleEffect {
  fileprivate var node: SettingNode {
    switch self {
    case .ban(let subject): .entries(subject.entries)
    case .throttle(let subject, let throttle): .entries(subject.entries + throttle.entries)
    case .revoke(let tokens): .entries(tokens.entries)
    }
  }
}

extension GCRA {
  /// The rate, of which one period's worth may come at once.
  fileprivate init?(_ rate: Configuration.Rate) {
    self.init(units: UInt64(rate.count), per: rate.per, burst: UInt64(rate.count))
  }
}

extension Configuration.Rate {
  fileprivate init(_ limit: GCRA) {
    self.init(count: Int(clamping: limit.units), per: .nanoseconds(Int64(clamping: limit.periodNanoseconds)))
  }
}

extension SettingNode {
  fileprivate static func entries(_ entries: [(String, SettingNode)]) -> SettingNode {
    .mapping(entries.map { SettingEntry(key: $0.0, keyOrigin: .none, value: $0.1) }, origin: .none)
  }

  fileprivate static func optionalText(_ text: String?) -> SettingNode {
    text.map { .text($0) } ?? .null
  }
}

extension Setting {
  fileprivate func vouchedName(by auth: String?) -> VouchedName? {
    parsed("a name of at most \(VouchedName.maxBytes) bytes without control characters") { VouchedName(checking: $0, by: auth) }
  }
}
