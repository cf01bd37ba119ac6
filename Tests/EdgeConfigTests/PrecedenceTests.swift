import EdgeAuth
import EdgeCore
import EdgeRouting
import Testing

@testable import EdgeConfig

@Suite struct `Flag, environment, file, default` {
  private func set(_ keyPath: String, _ value: String) -> ConfigurationOverride {
    ConfigurationOverride(name: "--set \(keyPath)", keyPath: keyPath, value: value)
  }

  @Test func `a flag beats a variable, a variable the file, the file the default`() throws {
    let file = minimal + "limits: {max_connections: 1, per_ip: {connections: 2}}\ndrain: {delay: 1s}"
    let environment = ["SLUICE_LIMITS__PER_IP__CONNECTIONS": "20", "SLUICE_DRAIN__DELAY": "2s", "PATH": "/bin"]
    let overrides = [set("drain.delay", "4s"), set("drain.delay", "3s")]
    let configuration = try load(file, environment: environment, overrides: overrides)
    #expect(configuration.limits.maxConnections == 1)
    #expect(configuration.limits.perIP.connections == 20)
    #expect(configuration.limits.perIP.ipv6Prefix == 64)
    #expect(configuration.drain.delay == .seconds(3))
  }

  @Test func `elements of lists are meant by name or number, and values may be lists`() throws {
    let configuration = try load(
      minimal, environment: ["SLUICE_ROUTES__CHAT__MATCH__PATH": "=/live", "SLUICE_THREADS": "3"],
      overrides: [
        set("listeners.0.address", "[::1]:9443"), set("routes.chat.origins", "[\"https://a.example\"]"),
        set("pools.chat.workers", "['/run/b.sock']"), set("routes.chat.headers.set", "{X-Edge: yes}"),
        set("log.format", "\"text\""),
      ])
    #expect(configuration.threads == .count(3))
    #expect(configuration.listeners[0].address.text == "[::1]:9443")
    #expect(configuration.routes[0].match.path == .exact("/live"))
    #expect(configuration.routes[0].origins.patterns.map(\.description) == ["https://a.example"])
    #expect(configuration.pools[0].workers == ["/run/b.sock"])
    #expect(configuration.routes[0].headers.set[0].value.description == "yes")
    #expect(configuration.log.format == .text)
  }

  @Test func `a variable means a name whatever its case and its dashes`() throws {
    let file = minimal.replacing("name: chat", with: "name: Chat-EU")
    #expect(try load(file, environment: ["SLUICE_ROUTES__CHAT_EU__CHECK_UTF8": "false"]).routes[0].checkUTF8 == false)
  }

  @Test func `an error names the flag or the variable, after those of the file`() {
    let found = errors(
      in: minimal + "drain: {delay: x}",
      environment: [
        "SLUICE_THREDS": "1", "SLUICE_LOG__LEVEL": "loud", "SLUICE_PORT_8443_TCP_PORT": "1", "SLUICE_SERVICE_HOST": "h",
      ],
      overrides: [
        set("listeners.public.tls", "on"), set("routes.caht.pool", "a"), set("a..b", "c"), set("log.access", "[a"),
        set("limits.per_ip.connections", "0"),
      ])
    #expect(
      found == [
        "s.yaml:4:16: drain.delay: \"x\" is not allowed here; expected a duration from 0s to 1d, such as 10s or 250ms",
        "--set a..b: the name has an empty part or too many; expected keys joined by dots, or by two underscores in a variable",
        "--set limits.per_ip.connections: limits.per_ip.connections: \"0\" is not allowed here; "
          + "expected a whole number from 1 to 10000000",
        "--set listeners.public.tls: listeners[0].tls: \"on\" is not allowed here; expected a mapping",
        "--set log.access: while parsing a flow sequence, did not find expected ',' or ']'; expected YAML or JSON",
        "--set routes.caht.pool: the list has no element \"caht\"; expected the name of an element, or its number from 0",
        "SLUICE_LOG__LEVEL: log.level: \"loud\" is not allowed here; expected one of \"debug\", \"error\", \"info\", \"warn\"",
        "SLUICE_THREDS: unknown key \"threds\"; did you mean \"threads\"?",
      ])
  }

  @Test func `an override replaces a value of another kind`() throws {
    #expect(try load(minimal + "log: {format: json}", overrides: [set("log", "{level: error}")]).log.format == .json)
    #expect(try load(minimal + "drain: null", overrides: [set("drain.delay", "1s")]).drain.delay == .seconds(1))
  }

  @Test func `a variable in braces is replaced in texts of the file`() throws {
    let file =
      minimal + "state_dir: ${HOME}/${NAME_2}$x$$${NO}\nlog: {access: '$${HOME}'}\ndrain: {delay: \"${N}s\"}\nthreads: ${N}"
    let configuration = try load(file, environment: ["HOME": "/root", "NAME_2": "{a}: &b ${HOME}", "N": "3"])
    #expect(configuration.stateDirectory == "/root/{a}: &b ${HOME}$x$${NO}")
    #expect(configuration.log.access == "${HOME}")
    #expect(configuration.drain.delay == .seconds(3))
    #expect(configuration.threads == .count(3))
  }

  @Test func `an unset variable is an error, and a set one never becomes null, absent or a list`() {
    #expect(
      errors(in: minimal + "state_dir: /a/${GONE}") == [
        "s.yaml:4:12: the environment variable GONE is not set; expected a value for ${GONE}"
      ])
    for text in ["${", "${}", "${1A}", "${A B}", "${A"] {
      let found = errors(in: minimal + "state_dir: \"\(text)\"", environment: ["A": "a"])
      #expect(found == ["s.yaml:4:12: \"\(text)\" holds an unfinished ${NAME}; expected ${NAME}, or $${ for ${ itself"])
    }
    for value in ["", "null", "~", "[main]"] {
      let text = minimal.replacing("pool: chat}", with: "pool: chat, auth: \"${A}\"}")
      #expect(errors(in: text, environment: ["A": value]).count == 1)
      #expect(errors(in: text.replacing("\"${A}\"", with: "${A}"), environment: ["A": value]).count == 1)
    }
    #expect(errors(in: minimal + "${A}: 1", environment: ["A": "threads"]).first?.contains("unknown key \"${A}\"") == true)
  }
}
