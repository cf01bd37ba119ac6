import EdgeConfig
import EdgeTLS

/// What a file of keys has now whose `auth` stays as it is.
struct RereadKeys {
  let ring: KeyRing
  let bundle: KeyBundle
  /// What is new about it, if anything.
  let change: ConfigurationDiff.Change?

  init(of keys: AuthKeys, bundle: KeyBundle) {
    ring = keys.ring
    self.bundle = bundle
    let current = keys.ring.generation
    let key = if case .secretFile = keys.settings.keys { "secret_file" } else { "file" }
    change =
      current.source == bundle.source
      ? nil
      : ConfigurationDiff.Change(
        keyPath: "auth.\(keys.ring.auth).keys.\(key)", before: "\(current.keyCount) keys",
        after: "\(bundle.keys.count) other keys",
        effect: .newConnections)
  }
}

extension Snapshot {
  /// What is new in files of certificates and cookie secrets that stay where they are.
  func fileChanges(since old: Snapshot) -> [ConfigurationDiff.Change] {
    listeners.flatMap { certificateChanges(of: $0, since: old) } + listeners.compactMap { authorityChange(of: $0, since: old) }
      + cookieChanges(since: old)
  }

  private func certificateChanges(of listener: ListenerContext, since old: Snapshot) -> [ConfigurationDiff.Change] {
    let before = old.listeners.first { $0.name == listener.name }?.tls?.certificates ?? []
    let after = listener.tls?.certificates ?? []
    return zip(before, after).enumerated().compactMap { index, pair in
      guard pair.0.name == pair.1.name, pair.0.fingerprint != pair.1.fingerprint else { return nil }
      return ConfigurationDiff.Change(
        keyPath: "listeners.\(listener.name).tls.certificates.\(index).chain", before: pair.0.description,
        after: pair.1.description, effect: .newConnections)
    }
  }

  /// Whose certificates clients show from now on.
  private func authorityChange(of listener: ListenerContext, since old: Snapshot) -> ConfigurationDiff.Change? {
    guard let before = old.listeners.first(where: { $0.name == listener.name })?.tls?.clients, let after = listener.tls?.clients,
      before.name == after.name, before.fingerprint != after.fingerprint
    else { return nil }
    return ConfigurationDiff.Change(
      keyPath: "listeners.\(listener.name).tls.client_ca", before: before.description, after: after.description,
      effect: .newConnections)
  }

  private func cookieChanges(since old: Snapshot) -> [ConfigurationDiff.Change] {
    let changed = routes.filter { route in
      guard case .cookie(let after) = route.affinity, let before = old.route(named: route.name),
        before.pool === route.pool, case .cookie(let before) = before.affinity
      else { return false }
      return !after.hasSecret(of: before)
    }
    return Set(changed.map(\.pool.name)).compactMap { pool in
      let files = [old, self].map { $0.configuration.pool(named: pool)?.cookieSecretFile }
      guard files[0] == files[1] else { return nil }
      return ConfigurationDiff.Change(
        keyPath: "pools.\(pool).cookie_secret_file", before: "a secret", after: "another secret", effect: .newConnections)
    }
  }
}
