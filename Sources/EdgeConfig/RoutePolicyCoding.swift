import EdgeCore

extension Setting {
  /// `"*"`, `same-origin`, or a list of patterns.
  func origins() -> Configuration.Origins? {
    if case .scalar(let scalar) = node {
      if scalar.text == "*" { return .any }
      return parsed("a list of origins, same-origin or \"*\"") { $0 == "same-origin" ? .list([.sameOrigin]) : nil }
    }
    if case .sequence(let items, origin: _) = node, items.count == 1, case .scalar(let scalar) = items[0], scalar.text == "*" {
      return .any
    }
    let patterns = uniqueList(of: "origins") { $0.parsed(originForms) { Configuration.OriginPattern($0) } }
    guard let patterns else { return nil }
    return .list(patterns)
  }
}

extension Configuration.OriginPattern {
  init?(_ text: String) {
    guard text != "same-origin" else {
      self = .sameOrigin
      return
    }
    guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { return nil }
    let scheme = text[..<colon].lowercased()
    guard let first = scheme.utf8.first, ASCII.isLetter(first), scheme != "ws", scheme != "wss",
      scheme.utf8.allSatisfy({ ASCII.isLetter($0) || ASCII.isDigit($0) || "+-.".utf8.contains($0) })
    else { return nil }
    var host = text[colon...].dropFirst(3)
    var port = defaultPorts[scheme]
    if let mark = host.lastIndex(of: ":"), !host.hasSuffix("]") {
      guard let number = Quantity.integer(host[host.index(after: mark)...]), let number = UInt16(exactly: number), number > 0
      else { return nil }
      port = number
      host = host[..<mark]
    }
    let isWildcard = host.hasPrefix("*.")
    guard let name = normalHost(isWildcard ? host.dropFirst(2) : host), !isWildcard || !name.hasPrefix("[") else { return nil }
    self = isWildcard ? .subdomains(scheme: scheme, suffix: name, port: port) : .exact(scheme: scheme, host: name, port: port)
  }

  /// The pattern as an operator writes it; a port that the scheme implies is left out.
  public var text: String {
    switch self {
    case .sameOrigin: "same-origin"
    case .exact(let scheme, let host, let port): "\(scheme)://\(host)\(suffix(port, scheme))"
    case .subdomains(let scheme, let domain, let port): "\(scheme)://*.\(domain)\(suffix(port, scheme))"
    }
  }

  private func suffix(_ port: UInt16?, _ scheme: String) -> String {
    port == defaultPorts[scheme] ? "" : port.map { ":\($0)" } ?? ""
  }
}

extension Configuration.Origins {
  var node: SettingNode {
    switch self {
    case .any: .text("*")
    case .list(let patterns): .list(patterns.map { .text($0.text) })
    }
  }
}

extension Configuration.Headers {
  static func read(_ section: Section, hasAuth: Bool) -> Configuration.Headers {
    let stripToken = section.flag("strip_token", default: true)
    var seen: Set<String> = []
    let rules = section["set"]?.entries(of: "field values") { name, setting -> Configuration.HeaderRule? in
      guard isToken(name), !isReservedField(name), seen.insert(name.lowercased()).inserted else {
        setting.refuse(
          "the field \"\(abridged(name))\" cannot be set",
          "expected a field name that HTTP, WebSocket and the edge leave free, once, such as X-Sluice-User")
        return nil
      }
      guard let template = setting.parsed(templateForms, { Configuration.HeaderTemplate($0) }) else { return nil }
      if !hasAuth, template.usesClaims {
        setting.refuse("the value takes a claim, and the route is open", "expected auth beside it")
      }
      return Configuration.HeaderRule(name: name, value: template)
    }
    return Configuration.Headers(stripToken: stripToken, set: rules ?? [])
  }

  var node: SettingNode {
    let rules = set.map { SettingEntry(key: $0.name, keyOrigin: .none, value: .text($0.value.text)) }
    return .map(["strip_token": .plain(String(stripToken)), "set": .mapping(rules, origin: .none)])
  }
}

extension Configuration.HeaderTemplate {
  /// Reads visible ASCII and spaces with `{claim.NAME}` in places; `{{` and `}}` stand for single braces.
  init?(_ text: String) {
    guard text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }), text.utf8.count <= 1024, text.utf8.first != 0x20,
      text.utf8.last != 0x20, !text.isEmpty
    else { return nil }
    var parts: [Part] = []
    var literal = ""
    var rest = Substring(text)
    while let character = rest.first {
      if rest.hasPrefix("{{") || rest.hasPrefix("}}") {
        literal.append(character)
        rest = rest.dropFirst(2)
      } else if character == "{" {
        guard rest.hasPrefix("{claim."), let end = rest.firstIndex(of: "}") else { return nil }
        let name = rest[..<end].dropFirst(7)
        guard !name.isEmpty, !name.contains("{") else { return nil }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        literal = ""
        parts.append(.claim(name: String(name)))
        rest = rest[end...].dropFirst()
      } else {
        guard character != "}" else { return nil }
        literal.append(character)
        rest = rest.dropFirst()
      }
    }
    if !literal.isEmpty { parts.append(.literal(literal)) }
    self.parts = parts
  }

  /// Whether the value depends on the token.
  public var usesClaims: Bool {
    parts.contains { part in
      switch part {
      case .claim: true
      case .literal: false
      }
    }
  }

  /// The template as an operator writes it.
  public var text: String {
    parts.map { part in
      switch part {
      case .claim(let name): "{claim.\(name)}"
      case .literal(let text):
        text.map { $0 == "{" ? "{{" : $0 == "}" ? "}}" : String($0) }.joined()
      }
    }.joined()
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

private let reservedPrefixes = ["sec-websocket-", "proxy-", "x-forwarded-"]
private let reservedFields: Set<String> = [
  "connection", "content-length", "date", "expect", "forwarded", "host", "http2-settings", "keep-alive", "te", "traceparent",
  "trailer", "transfer-encoding", "upgrade", "x-real-ip", "x-request-id",
]
private let defaultPorts: [String: UInt16] = ["http": 80, "https": 443]
private let originForms = "an origin such as https://chat.example.com, https://*.example.com or same-origin (\"*\" stands alone)"
private let templateForms = "visible ASCII of at most 1024 bytes, with {claim.NAME} in places and {{ for a brace"
