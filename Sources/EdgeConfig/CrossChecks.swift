import EdgeRouting

/// What must hold between parts of a document that are each right for themselves.
struct CrossChecks {
  private let findings: Findings

  /// Adds to `findings` what `root` says twice, or leaves out altogether.
  static func run(on root: SettingNode, findings: Findings) {
    let checks = CrossChecks(findings: findings)
    checks.requireElements("listeners", in: root)
    checks.requireElements("routes", in: root)
    checks.requireElements("pools", in: root)
    checks.requireUnique("name", in: "listeners", of: root)
    checks.requireUnique("name", in: "routes", of: root)
    checks.requireUniqueMatches(of: root)
    checks.requireUniqueAddresses(of: root)
    checks.requireProxies(of: root)
  }

  private func requireElements(_ list: String, in root: SettingNode) {
    switch root[list] {
    case .sequence([], let origin), .mapping([], let origin):
      findings.refuse(list, at: origin, "there is none", "expected at least one")
    case .sequence, .mapping, .scalar, nil: break
    }
  }

  private func requireUnique(_ key: String, in list: String, of root: SettingNode) {
    var seen: [String: ConfigurationOrigin] = [:]
    for (index, item) in (root[list]?.elements ?? []).enumerated() {
      guard case .scalar(let scalar)? = item[key] else { continue }
      if let first = seen[scalar.text] {
        findings.refuse(
          "\(list)[\(index)].\(key)", at: scalar.origin, "\"\(abridged(scalar.text))\" is taken by another at \(first)",
          "expected a \(key) of its own")
      } else {
        seen[scalar.text] = scalar.origin
      }
    }
  }

  /// A listener that reads PROXY headers, from nobody.
  private func requireProxies(of root: SettingNode) {
    guard root["trusted_proxies"]?.elements.isEmpty ?? true else { return }
    for (index, listener) in (root["listeners"]?.elements ?? []).enumerated() {
      guard let node = listener["proxy_protocol"], ["optional", "required"].contains(node.givenText) else { continue }
      findings.refuse(
        "listeners[\(index)].proxy_protocol", at: node.origin, "nobody may send PROXY headers",
        "expected the proxies' addresses in trusted_proxies")
    }
  }

  /// Two routes for the same host and path: the second would never be reached.
  private func requireUniqueMatches(of root: SettingNode) {
    var seen: [RoutePattern: ConfigurationOrigin] = [:]
    for (index, route) in (root["routes"]?.elements ?? []).enumerated() {
      let host = route["match"]?["host"]?.givenText
      let path = route["match"]?["path"]?.givenText
      guard let host = host.map({ HostPattern($0) }) ?? .any,
        let path = path.map({ PathPattern($0) }) ?? .prefix("/")
      else { continue }
      let match = RoutePattern(host: host, path: path)
      let origin = route["match"]?.origin ?? route.origin
      if let first = seen[match] {
        findings.refuse(
          "routes[\(index)].match", at: origin, "the route is never reached: one at \(first) has the same match",
          "expected another host or path")
      } else {
        seen[match] = origin
      }
    }
  }

  /// Two sockets cannot listen on one address; port 0 is another port each time.
  private func requireUniqueAddresses(of root: SettingNode) {
    var places: [(path: String, node: SettingNode)] = []
    for (index, listener) in (root["listeners"]?.elements ?? []).enumerated() {
      if let node = listener["address"] { places.append(("listeners[\(index)].address", node)) }
    }
    for (index, node) in (root["admin"]?["listen"]?.elements ?? []).enumerated() {
      places.append(("admin.listen[\(index)]", node))
    }
    if let node = root["admin"]?["metrics_listen"] { places.append(("admin.metrics_listen", node)) }
    var seen: [Configuration.ListenAddress: ConfigurationOrigin] = [:]
    for (path, node) in places {
      guard let text = node.givenText, let address = Configuration.ListenAddress(text) else { continue }
      if case .tcp(_, port: 0) = address { continue }
      if let first = seen[address] {
        findings.refuse(
          path, at: node.origin, "\(address.text) is taken by another at \(first)", "expected an address of its own")
      } else {
        seen[address] = node.origin
      }
    }
  }
}

extension SettingNode {
  subscript(key: String) -> SettingNode? {
    guard case .mapping(let entries, origin: _) = self else { return nil }
    return entries.first { $0.key == key }?.value
  }

  var elements: [SettingNode] {
    guard case .sequence(let items, origin: _) = self else { return [] }
    return items
  }

  /// The text of a scalar that says something.
  var givenText: String? {
    guard case .scalar(let scalar) = self, !scalar.isNull, !scalar.isMissing else { return nil }
    return scalar.text
  }
}
