import EdgeCore

extension Configuration.Admin {
  static func read(_ section: Section) -> Configuration.Admin {
    let allowPublic = section.flag("allow_public", default: false)
    let listen = section["listen"]?.list(of: "addresses") { item -> Configuration.ListenAddress? in
      guard let address = item.listenAddress() else { return nil }
      if address.isPublic, !allowPublic {
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

extension Configuration.Reload {
  static func read(_ section: Section) -> Configuration.Reload {
    Configuration.Reload(closeRemoved: section.flag("close_removed", default: false))
  }

  var node: SettingNode {
    .map(["close_removed": .plain(String(closeRemoved))])
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
