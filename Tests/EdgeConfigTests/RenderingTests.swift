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
