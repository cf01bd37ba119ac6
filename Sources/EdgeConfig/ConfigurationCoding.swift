import EdgeCore

extension Configuration {
  /// Reads a whole document. Whatever is wrong with it is in the findings afterwards; the result counts only when nothing is.
  static func read(_ section: Section) -> Configuration? {
    let version = section.integer("version", default: 1, in: 1...1)
    let threads = section["threads"]?.parsed("auto or a whole number from 1 to 1024") { text -> Threads? in
      text == "auto" ? .auto : Quantity.integer(text).flatMap { (1...1024).contains($0) ? .count($0) : nil }
    }
    let stateDirectory = section["state_dir"]?.file() ?? "/var/lib/sluice"
    let listeners = section.required("listeners", "a list of listeners, each with name and address")?.list(of: "listeners") {
      $0.section(Listener.read)
    }
    let trustedProxies = section["trusted_proxies"]?.list(of: "addresses or blocks") { $0.trustedProxy() } ?? []
    let timeouts = section.section("timeouts", Timeouts.read)
    let limits = section.section("limits", Limits.read)
    let auth = readAuth(section)
    let pools = section.required("pools", "a mapping from names to pools")?.entries(of: "pools") { name, setting in
      setting.section { Pool.read(name, $0) }
    }
    let references = RouteReferences(pools: section["pools"]?.keys ?? [], auths: section["auth"]?.keys ?? [])
    let routes = section.required("routes", "a list of routes, each with name and pool")?.list(of: "routes") {
      $0.section { Route.read($0, references: references) }
    }
    let rules =
      section["rules"]?.list(of: "rules") { setting in
        setting.section { Rule.read($0, auths: references.auths) }
      } ?? []
    let admin = section.section("admin", Admin.read)
    let reload = section.section("reload", Reload.read)
    let drain = section.section("drain", Drain.read)
    let log = section.section("log", Log.read)
    guard let listeners, let timeouts, let limits, let pools, let routes, let admin, let reload, let drain, let log else {
      return nil
    }
    return Configuration(
      version: version, threads: threads ?? .auto, stateDirectory: stateDirectory, listeners: listeners,
      trustedProxies: TrustedProxies(trustedProxies), timeouts: timeouts, limits: limits, auth: auth, pools: pools,
      routes: routes, rules: rules, admin: admin, reload: reload, drain: drain, log: log)
  }

  private static func readAuth(_ section: Section) -> [String: Auth] {
    let entries = section["auth"]?.entries(of: "token checks") { name, setting -> (String, Auth)? in
      if !isName(name) { setting.refuse("\"\(abridged(name))\" is not allowed as a name", "expected \(nameRule)") }
      return setting.section(Auth.read).map { (name, $0) }
    }
    return Dictionary(entries ?? [], uniquingKeysWith: { first, _ in first })
  }

  var node: SettingNode {
    func named(_ entries: [(String, SettingNode)]) -> SettingNode {
      .mapping(entries.map { SettingEntry(key: $0.0, keyOrigin: .none, value: $0.1) }, origin: .none)
    }
    let threads =
      switch threads {
      case .auto: "auto"
      case .count(let count): String(count)
      }
    return .map([
      "version": .plain(String(version)), "threads": .plain(threads), "state_dir": .text(stateDirectory),
      "listeners": .list(listeners.map(\.node)), "trusted_proxies": .list(trustedProxies.words.map { .text($0) }),
      "timeouts": timeouts.node, "limits": limits.node,
      "auth": named(auth.sorted { $0.key < $1.key }.map { ($0.key, $0.value.node) }),
      "pools": named(pools.map { ($0.name, $0.node) }), "routes": .list(routes.map(\.node)), "rules": .list(rules.map(\.node)),
      "admin": admin.node, "reload": reload.node, "drain": drain.node, "log": log.node,
    ])
  }
}

extension Setting {
  /// The keys of a mapping that an operator chose; none when it is no mapping.
  fileprivate var keys: [String] {
    guard case .mapping(let entries, origin: _) = node else { return [] }
    return entries.map(\.key)
  }
}
