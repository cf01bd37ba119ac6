import EdgeCore

extension Configuration.Rule {
  static func read(_ section: Section) -> Configuration.Rule? {
    let actions: [Configuration.Rule.Found?] = [
      section["ban"]?.section { Found(action: .ban, subject: readSubject($0)) },
      section["throttle"]?.section { section in
        let messages = section["messages"]?.rate(bytes: false, "a rate such as 5/s")
        let bytes = section["bytes"]?.rate(bytes: true, "a rate in bytes such as 16KiB/s")
        if messages == nil, bytes == nil { section.refuse("the throttle limits nothing", "expected messages, bytes or both") }
        return Found(action: .throttle(messages: messages, bytes: bytes), subject: readSubject(section))
      },
      section["revoke"]?.section { Found(action: .revoke, subject: readSubject($0)) },
    ]
    let ttl = section.optionalDuration("ttl", in: .seconds(1) ... .seconds(10 * 365 * 86_400))
    let found = actions.compactMap { $0 }
    guard found.count == 1 else {
      section.refuse("a rule does one thing", "expected one of ban, throttle and revoke")
      return nil
    }
    guard let subject = found[0].subject else { return nil }
    return Configuration.Rule(action: found[0].action, subject: subject, ttl: ttl)
  }

  private struct Found {
    let action: Configuration.RuleAction
    let subject: Configuration.RuleSubject?
  }

  private static func readSubject(_ section: Section) -> Configuration.RuleSubject? {
    let user = section["user"]
    let address = section["ip"]
    let block = section["cidr"]
    guard [user, address, block].count(where: { $0 != nil }) == 1 else {
      section.refuse("a rule holds for one subject", "expected one of user, ip and cidr")
      return nil
    }
    if let user { return user.text("the name of a user").map { .user($0) } }
    if let block { return block.network().map { .network($0) } }
    return address?.parsed("an IP address") { IPAddress($0) }.map { .network(CIDR($0, prefixBits: 128)) }
  }

  var node: SettingNode {
    var entries: [SettingEntry] = []
    func add(_ key: String, _ value: SettingNode) { entries.append(SettingEntry(key: key, keyOrigin: .none, value: value)) }
    switch subject {
    case .user(let name): add("user", .text(name))
    case .network(let block): add("cidr", .text(block.description))
    }
    let key: String
    switch action {
    case .ban: key = "ban"
    case .revoke: key = "revoke"
    case .throttle(let messages, let bytes):
      key = "throttle"
      add("messages", messages.map { .rate($0) } ?? .null)
      add("bytes", bytes.map { .rate($0, bytes: true) } ?? .null)
    }
    return .mapping(
      [
        SettingEntry(key: key, keyOrigin: .none, value: .mapping(entries, origin: .none)),
        SettingEntry(key: "ttl", keyOrigin: .none, value: ttl.map(SettingNode.duration) ?? .null),
      ], origin: .none)
  }
}

extension Configuration.Admin {
  static func read(_ section: Section) -> Configuration.Admin {
    let allowPublic = section.flag("allow_public", default: false)
    let listen = section["listen"]?.list(of: "addresses") { item -> Configuration.ListenAddress? in
      guard let address = item.listenAddress() else { return nil }
      if !address.isLocal, !allowPublic {
        item.refuse(
          "\(address.text) is open to other machines",
          "expected a loopback address or a Unix socket, or admin.allow_public: true")
      }
      return address
    }
    return Configuration.Admin(
      listen: listen ?? [.tcp(IPAddress(v4: 0x7f00_0001), port: 9901)],
      metricsListen: section["metrics_listen"]?.listenAddress(), tokensFile: section["tokens_file"]?.file(),
      auditLog: section["audit_log"]?.file(), allowPublic: allowPublic)
  }

  var node: SettingNode {
    .map([
      "listen": .list(listen.map { .text($0.text) }), "metrics_listen": metricsListen.map { .text($0.text) } ?? .null,
      "tokens_file": tokensFile.map(SettingNode.text) ?? .null, "audit_log": auditLog.map(SettingNode.text) ?? .null,
      "allow_public": .plain(String(allowPublic)),
    ])
  }
}

extension Configuration.Drain {
  static func read(_ section: Section) -> Configuration.Drain {
    let range = Duration.zero ... .seconds(86_400)
    return Configuration.Drain(
      delay: section.duration("delay", default: .seconds(5), in: range),
      spread: section.duration("spread", default: .seconds(30), in: range),
      timeout: section.duration("timeout", default: .seconds(60), in: range))
  }

  var node: SettingNode {
    .map(["delay": .duration(delay), "spread": .duration(spread), "timeout": .duration(timeout)])
  }
}

extension Configuration.Log {
  static func read(_ section: Section) -> Configuration.Log {
    Configuration.Log(
      format: section.word("format", default: .json), level: section.word("level", default: .info),
      access: section["access"]?.file())
  }

  var node: SettingNode {
    .map([
      "format": .plain(format.rawValue), "level": .plain(level.rawValue), "access": access.map(SettingNode.text) ?? .null,
    ])
  }
}
