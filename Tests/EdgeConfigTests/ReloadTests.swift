import EdgeCore
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

@Suite struct `A configuration on show` {
  @Test func `has the names of variables, not what they say, and can be read again`() throws {
    let text = withRoutes(
      #"{name: chat, pool: chat, match: {path: /ws}, subprotocols: ["${A}"], headers: {set: {X-Key: "k-${KEY} $$"}}}"#)
    let environment = ["A": "chat.v1", "KEY": "s3cret"]
    let configuration = try load(text, environment: environment)
    let shown = configuration.shownYAML()
    #expect(!shown.contains("s3cret") && !shown.contains("chat.v1"))
    #expect(try load(shown, environment: environment) == configuration)
    let route = try #require(configuration.shownJSON["routes"]?.arrayValue?.first)
    #expect(route["headers"]?["set"]?["X-Key"] == "k-${KEY} $$")
    #expect(route["check_utf8"] == true && route["auth"] == .null && route["max_message"] == "1MiB")
    #expect(configuration.shownJSON["version"] == 1)
  }

  @Test func `is not given away by an error`() {
    let errors = errors(in: minimal + #"threads: "${KEY}""#, environment: ["KEY": "s3cret"])
    #expect(errors == [#"s.yaml:4:10: threads: "${KEY}" is not allowed here; expected auto or a whole number from 1 to 1024"#])
  }

  @Test func `does not show what stands behind a provider's question mark`() throws {
    let url = "https://id.example.com/jwks?code=s3cret"
    let configuration = try load(minimal + "auth: {main: {keys: {url: \"\(url)\"}}}")
    #expect(configuration.shownJSON["auth"]?["main"]?["keys"]?["url"] == "https://id.example.com/jwks?…")
    let diff = ConfigurationDiff(from: try load(minimal), to: configuration)
    #expect(!diff.changes.contains { $0.after?.contains("s3cret") == true })
  }

  @Test func `without variables is the effective one`() throws {
    let configuration = try loadAll(everything.replacing("$${literal}", with: "literal"))
    #expect(configuration.shownYAML() == configuration.effectiveYAML())
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
