import Testing

@testable import EdgeConfig

@Suite struct `Comparing two configurations` {
  @Test func `a change is told by key, with both values`() throws {
    let old = try load(minimal + "drain: {delay: 1s}")
    let new = try load(minimal + "drain: {delay: 2s}\nauth: {a: {keys: {file: k}}}")
    let diff = ConfigurationDiff(from: old, to: new)
    #expect(diff.changes.contains(.init(keyPath: "drain.delay", before: "1s", after: "2s", effect: .applied)))
    #expect(diff.changes.contains(.init(keyPath: "auth", before: "{}", after: nil, effect: .newConnections)))
    #expect(diff.changes.contains(.init(keyPath: "auth.a.keys.file", before: nil, after: "k", effect: .newConnections)))
    #expect(diff.changesRunningEdge)
    #expect(diff.needsRestart == [])
  }

  @Test func `equal configurations have no difference`() throws {
    let diff = ConfigurationDiff(from: try loadAll(everything), to: try loadAll(everything))
    #expect(diff.changes.isEmpty)
    #expect(!diff.changesRunningEdge)
  }

  @Test func `elements of lists are followed by name, and defaults of a new one are left out`() throws {
    let diff = ConfigurationDiff(
      from: try load(minimal),
      to: try load(
        withRoutes("{name: b, pool: chat, match: {path: /b}}, {name: chat, pool: chat, match: {path: /ws}, idle_timeout: 1m}")))
    #expect(
      diff.changes == [
        .init(keyPath: "routes.b.match.path", before: nil, after: "/b", effect: .newConnections),
        .init(keyPath: "routes.b.name", before: nil, after: "b", effect: .newConnections),
        .init(keyPath: "routes.b.pool", before: nil, after: "chat", effect: .newConnections),
        .init(keyPath: "routes.chat.idle_timeout", before: "10m", after: "1m", effect: .applied),
      ])
  }

  @Test func `a list of texts is one value`() throws {
    let diff = ConfigurationDiff(
      from: try load(minimal), to: try load(minimal.replacing("[/run/chat/a.sock]", with: "[/run/a.sock, /run/b.sock]")))
    #expect(
      diff.changes == [
        .init(
          keyPath: "pools.chat.workers", before: "[/run/chat/a.sock]", after: "[/run/a.sock, /run/b.sock]", effect: .applied)
      ])
  }

  @Test func `what a variable says is compared, and not shown`() throws {
    let text = withRoutes(#"{name: chat, pool: chat, match: {path: /ws}, headers: {set: {X-Key: "k-${KEY}"}}}"#)
    let diff = ConfigurationDiff(
      from: try load(text, environment: ["KEY": "secret1"]), to: try load(text, environment: ["KEY": "secret2"]))
    #expect(
      diff.changes == [
        .init(keyPath: "routes.chat.headers.set.X-Key", before: "k-${KEY}", after: "k-${KEY}", effect: .newConnections)
      ])
  }
}

@Suite struct `What a reload takes in` {
  @Test func `is declared for every key`() throws {
    for key in try knownKeys() { #expect(ReloadEffect(ofKey: key) != nil, "\(key)") }
  }

  @Test func `is all but what needs a restart, which stays as it was and is told again`() throws {
    let (old, new) = (try loadAll(minimal), try loadAll(everything))
    let inForce = old.reloaded(with: new)
    #expect(ConfigurationDiff(from: old, to: inForce).needsRestart == [])
    let rest = ConfigurationDiff(from: inForce, to: new)
    #expect(!rest.changesRunningEdge)
    #expect(rest.needsRestart == ["admin.allow_public", "admin.listen", "admin.metrics_listen", "state_dir", "threads"])
    #expect(rest == ConfigurationDiff(from: inForce.reloaded(with: new), to: new))
  }
}

func knownKeys() throws -> Set<String> {
  let findings = Findings()
  _ = try Configuration.load(file: everything, fileName: "s.yaml", notYetSupported: [], findings: findings)
  return findings.knownKeys
}

private func withRoutes(_ routes: String) -> String {
  minimal.split(separator: "\n").dropLast().joined(separator: "\n") + "\nroutes: [\(routes)]\n"
}
