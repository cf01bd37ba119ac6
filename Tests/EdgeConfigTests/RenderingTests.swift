import EdgeAuth
import EdgeCore
import Testing

@testable import EdgeConfig

@Suite struct `Writing a configuration` {
  @Test(arguments: [minimal, everything])
  func `what is written reads back as an equal value`(document: String) throws {
    let configuration = try loadAll(document)
    let written = configuration.effectiveYAML()
    #expect(try loadAll(written) == configuration)
    #expect(try loadAll(written).effectiveYAML() == written)
  }

  @Test func `any text survives`() throws {
    for text in [
      "a b", "null", "~", "1", "true", "é ü 😀", "\"q\" 'p' \\", "a: b # c", "*x", "&x", "{a}", "${A} $${B} $$${C}", "-",
      "\u{ad}\u{e000}x",
    ] {
      var configuration = try load(minimal)
      configuration.stateDirectory = text
      configuration.routes[0].headers.set = [.init(name: "*!#'|&", value: try HeaderTemplate("{{ }}"))]
      #expect(try loadAll(configuration.effectiveYAML()) == configuration)
    }
  }

  @Test func `the defaults are valid themselves and show every section`() throws {
    let text = Configuration.defaultsYAML()
    let configuration = try load(text)
    #expect(configuration.effectiveYAML() == text.split(separator: "\n").dropFirst().joined(separator: "\n") + "\n")
    for line in ["threads: auto", "    leeway: 30s", "    max_send_queue: 128KiB", "      burst: 40", "  delay: 5s"] {
      #expect(text.contains("\n\(line)\n"))
    }
  }

  @Test func `the effective form is plain to read`() throws {
    let text = try load(minimal).effectiveYAML()
    #expect(
      text.hasPrefix(
        """
        version: 1
        threads: auto
        state_dir: /var/lib/sluice
        listeners:
          - name: public
            address: "127.0.0.1:8443"
            protocols: [http/1.1]
            tls: null
            proxy_protocol: off
        trusted_proxies: []
        timeouts:
          handshake: 10s

        """))
  }
}

@Suite struct `Comparing two configurations` {
  @Test func `a change is told by key, with both values`() throws {
    let old = try load(minimal + "drain: {delay: 1s}")
    let new = try load(minimal + "drain: {delay: 2s}\nauth: {a: {keys: {file: k}}}")
    let diff = ConfigurationDiff(from: old, to: new)
    #expect(
      diff.changes.first { $0.keyPath == "drain.delay" }
        == .init(keyPath: "drain.delay", before: "1s", after: "2s", effect: .restart))
    #expect(diff.changes.first { $0.keyPath == "auth" }?.before == "{}")
    #expect(diff.changes.contains { $0.keyPath == "auth.a.keys.file" && $0.before == nil && $0.after == "k" })
    #expect(diff.needsRestart)
  }

  @Test func `equal configurations have no difference`() throws {
    let diff = ConfigurationDiff(from: try loadAll(everything), to: try loadAll(everything))
    #expect(diff.changes.isEmpty)
    #expect(!diff.needsRestart)
  }

  @Test func `elements of lists are followed by name, and live keys need no restart`() throws {
    let route =
      "routes: [{name: b, pool: chat, match: {path: /b}}, {name: chat, pool: chat, match: {path: /ws}, idle_timeout: 1m}]"
    let new = minimal.split(separator: "\n").dropLast().joined(separator: "\n") + "\n" + route
    let diff = ConfigurationDiff(from: try load(minimal), to: try load(new), liveKeys: ["routes"])
    #expect(diff.changes.contains(.init(keyPath: "routes.chat.idle_timeout", before: "10m", after: "1m", effect: .live)))
    #expect(diff.changes.contains { $0.keyPath == "routes.b.pool" })
    #expect(!diff.changes.contains { $0.keyPath.hasPrefix("routes.chat.") && !$0.keyPath.hasSuffix("idle_timeout") })
    #expect(!diff.needsRestart)
  }
}
