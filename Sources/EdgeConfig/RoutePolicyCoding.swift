import EdgeAuth
import EdgeCore

extension OriginRule {
  /// Reads `origins`, `origin_missing` and `origin_null`; what is absent follows from the others.
  static func read(_ section: Section) -> OriginRule {
    let patterns = section["origins"].map { $0.origins() ?? [] } ?? [.sameOrigin]
    return OriginRule(
      patterns: patterns, missing: section["origin_missing"]?.word(Fallback.self),
      null: section["origin_null"]?.word(Fallback.self))
  }

  var patternsNode: SettingNode {
    patterns == [.any] ? .text("*") : .list(patterns.map { .text($0.description) })
  }
}

extension Setting {
  /// `"*"`, `same-origin`, or a list of patterns, in which `"*"` stands alone.
  fileprivate func origins() -> [OriginPattern]? {
    switch node {
    case .scalar:
      return parsed("a list of origins, same-origin or \"*\"") { $0 == "*" || $0 == "same-origin" ? OriginPattern($0) : nil }
        .map { [$0] }
    case .sequence, .mapping:
      let isAlone = node.elements.count == 1
      return uniqueList(of: "origins") { item in
        item.parsed(originForms) { text in
          OriginPattern(text).flatMap { $0 == .any && !isAlone ? nil : $0 }
        }
      }
    }
  }
}

extension Configuration.Headers {
  static func read(_ section: Section, hasAuth: Bool) -> Configuration.Headers {
    let stripToken = section.flag("strip_token", default: true)
    var seen: Set<String> = []
    let rules = section["set"]?.entries(of: "field values") { name, setting -> Configuration.HeaderRule? in
      guard ASCII.isToken(name), !isReservedField(name), seen.insert(name.lowercased()).inserted else {
        setting.refuse(
          "the field \"\(abridged(name))\" cannot be set",
          "expected a field name that HTTP, WebSocket and the edge leave free, once, such as X-Sluice-User")
        return nil
      }
      guard let template = setting.parsed(templateForms, { try? HeaderTemplate($0) }) else { return nil }
      if !hasAuth, template.usesClaims {
        setting.refuse("the value takes a claim, and the route is open", "expected auth beside it")
      }
      return Configuration.HeaderRule(name: name, value: template)
    }
    return Configuration.Headers(stripToken: stripToken, set: rules ?? [])
  }

  var node: SettingNode {
    let rules = set.map { SettingEntry(key: $0.name, keyOrigin: .none, value: .text($0.value.description)) }
    return .map(["strip_token": .plain(String(stripToken)), "set": .mapping(rules, origin: .none)])
  }
}

extension Configuration.CloseCodes {
  static func read(_ section: Section) -> Configuration.CloseCodes {
    Configuration.CloseCodes(
      idle: section.closeCode("idle", default: 1001), policy: section.closeCode("policy", default: 1008),
      edgeFault: section.closeCode("edge_fault", default: 1011), drain: section.closeCode("drain", default: 1012),
      overload: section.closeCode("overload", default: 1013), workerLost: section.closeCode("worker_lost", default: 1014),
      auth: section.closeCode("auth", default: 4401), banned: section.closeCode("banned", default: 4403),
      timeout: section.closeCode("timeout", default: 4408), replaced: section.closeCode("replaced", default: 4409),
      rate: section.closeCode("rate", default: 4429))
  }

  var node: SettingNode {
    func code(_ value: UInt16) -> SettingNode { .plain(String(value)) }
    return .map([
      "idle": code(idle), "policy": code(policy), "edge_fault": code(edgeFault), "drain": code(drain),
      "overload": code(overload), "worker_lost": code(workerLost), "auth": code(auth), "banned": code(banned),
      "timeout": code(timeout), "replaced": code(replaced), "rate": code(rate),
    ])
  }
}

extension Section {
  /// A code that an endpoint may send (RFC 6455 §7.4, and 1012 to 1014 of its registry).
  fileprivate func closeCode(_ key: String, default fallback: UInt16) -> UInt16 {
    self[key]?.parsed("1000, 1001, 1008, 1011 to 1014, or 3000 to 4999") { text in
      guard let code = Quantity.integer(text).flatMap(UInt16.init(exactly:)) else { return nil }
      switch code {
      case 1000, 1001, 1008, 1011...1014, 3000...4999: return code
      default: return nil
      }
    } ?? fallback
  }
}

/// Whether HTTP itself, the WebSocket handshake or the edge's own forwarding fields use this name.
private func isReservedField(_ name: String) -> Bool {
  let name = name.lowercased()
  return reservedFields.contains(name) || reservedPrefixes.contains { name.hasPrefix($0) }
}

private let reservedPrefixes = ["sec-websocket-", "proxy-", "x-forwarded-", "x-client-cert"]
private let reservedFields: Set<String> = [
  "connection", "content-length", "date", "expect", "forwarded", "host", "http2-settings", "keep-alive", "te", "traceparent",
  "trailer", "transfer-encoding", "upgrade", "x-real-ip", "x-request-id",
]
private let originForms = "an origin such as https://chat.example.com, https://*.example.com or same-origin (\"*\" stands alone)"
private let templateForms = "visible ASCII of at most 1024 bytes, with {claim.NAME} in places and {{ for a brace"
