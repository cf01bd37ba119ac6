import EdgeCore

extension Configuration.Timeouts {
  static func read(_ section: Section) -> Configuration.Timeouts {
    Configuration.Timeouts(
      handshake: section.duration("handshake", default: .seconds(10)),
      head: section.duration("head", default: .seconds(10)),
      bodyProgress: section.duration("body_progress", default: .seconds(30)),
      connect: section.duration("connect", default: .seconds(5)),
      workerResponse: section.duration("worker_response", default: .seconds(30)),
      close: section.duration("close", default: .seconds(5)),
      stall: section.section("stall") { section in
        Configuration.Stall(
          minBytes: section.size("min_bytes", default: 4096, in: 1...1_073_741_824),
          timeout: section.duration("timeout", default: .seconds(30)))
      } ?? Configuration.Stall(minBytes: 4096, timeout: .seconds(30)))
  }

  var node: SettingNode {
    .map([
      "handshake": .duration(handshake), "head": .duration(head), "body_progress": .duration(bodyProgress),
      "connect": .duration(connect), "worker_response": .duration(workerResponse), "close": .duration(close),
      "stall": .map(["min_bytes": .size(stall.minBytes), "timeout": .duration(stall.timeout)]),
    ])
  }
}

extension Configuration.Limits {
  static func read(_ section: Section) -> Configuration.Limits? {
    let maxConnections = section.integer("max_connections", default: 50_000, in: connectionRange)
    let handshakes = section.section("handshakes", Configuration.Admission.read)
    let exempt = section["exempt"]?.list(of: "addresses or blocks") { $0.network() } ?? []
    let perIP = section.section("per_ip", Configuration.PerIP.read)
    let perUser = section.section("per_user", Configuration.PerUser.read)
    guard let handshakes, let perIP, let perUser else { return nil }
    return Configuration.Limits(
      maxConnections: maxConnections, handshakes: handshakes, exempt: exempt, perIP: perIP, perUser: perUser)
  }

  var node: SettingNode {
    .map([
      "max_connections": .plain(String(maxConnections)), "handshakes": handshakes.node,
      "exempt": .list(exempt.map { .text($0.description) }), "per_ip": perIP.node, "per_user": perUser.node,
    ])
  }
}

extension Configuration.Admission {
  static func read(_ section: Section) -> Configuration.Admission {
    let rate = section["rate"]?.parsed("auto or a rate such as 400/s") { text -> Configuration.AdmissionRate? in
      text == "auto" ? .auto : Quantity.rate(text, count: { Quantity.integer($0) }).map { .rate($0) }
    }
    return Configuration.Admission(rate: rate ?? .auto, queueTimeout: section.duration("queue_timeout", default: .seconds(10)))
  }

  var node: SettingNode {
    let rate =
      switch rate {
      case .auto: SettingNode.plain("auto")
      case .rate(let rate): SettingNode.rate(rate)
      }
    return .map(["rate": rate, "queue_timeout": .duration(queueTimeout)])
  }
}

extension Configuration.PerIP {
  static func read(_ section: Section) -> Configuration.PerIP? {
    let connections = section.integer("connections", default: 50, in: connectionRange)
    let handshakes = section["handshakes"].map { $0.section { $0.bucket(bytes: false) } } ?? defaultHandshakes
    let prefix = section.integer("ipv6_prefix", default: 64, in: 32...128)
    let cap = section.section("ipv6_cap") { cap -> Configuration.IPv6Cap in
      let wide = cap.integer("prefix", default: min(48, prefix), in: 16...128)
      if wide > prefix {
        cap["prefix"]?.refuse("\(wide) is longer than ipv6_prefix", "expected at most \(prefix)")
      }
      return Configuration.IPv6Cap(prefix: wide, factor: cap.integer("factor", default: 16, in: 1...1_000_000))
    }
    let messages = section.meteredLimit("messages", bytes: false)
    let bytes = section.meteredLimit("bytes", bytes: true)
    guard let handshakes, let cap else { return nil }
    return Configuration.PerIP(
      connections: connections, handshakes: handshakes, ipv6Prefix: prefix, ipv6Cap: cap, messages: messages, bytes: bytes)
  }

  var node: SettingNode {
    .map([
      "connections": .plain(String(connections)),
      "handshakes": .map(["rate": .rate(handshakes.rate), "burst": .plain(String(handshakes.burst))]),
      "ipv6_prefix": .plain(String(ipv6Prefix)),
      "ipv6_cap": .map(["prefix": .plain(String(ipv6Cap.prefix)), "factor": .plain(String(ipv6Cap.factor))]),
      "messages": .limit(messages, bytes: false), "bytes": .limit(bytes, bytes: true),
    ])
  }

  private static let defaultHandshakes = Configuration.Bucket(
    rate: Configuration.Rate(count: 10, per: .seconds(1)), burst: 40)
}

extension Configuration.PerUser {
  static func read(_ section: Section) -> Configuration.PerUser {
    Configuration.PerUser(
      connections: section.optionalInteger("connections", in: connectionRange),
      messages: section.meteredLimit("messages", bytes: false), bytes: section.meteredLimit("bytes", bytes: true),
      whenFull: section.word("when_full", default: .reject))
  }

  var node: SettingNode {
    .map([
      "connections": connections.map { .plain(String($0)) } ?? .null, "messages": .limit(messages, bytes: false),
      "bytes": .limit(bytes, bytes: true), "when_full": .plain(whenFull.rawValue),
    ])
  }
}

extension SettingNode {
  static func duration(_ duration: Duration) -> SettingNode { .plain(Quantity.text(duration)) }

  static func size(_ bytes: Int) -> SettingNode { .plain(Quantity.text(size: bytes)) }

  static func rate(_ rate: Configuration.Rate, bytes: Bool = false) -> SettingNode {
    .plain(Quantity.text(rate) { bytes ? Quantity.text(size: $0) : String($0) })
  }

  static func limit(_ limit: Configuration.MeteredLimit?, bytes: Bool) -> SettingNode {
    guard let limit else { return .null }
    return .map([
      "rate": .rate(limit.rate, bytes: bytes), "burst": bytes ? .size(limit.burst) : .plain(String(limit.burst)),
      "over": .plain(limit.over.rawValue), "close_after": limit.closeAfter.map(SettingNode.duration) ?? .null,
    ])
  }
}

private let connectionRange = 1...10_000_000
