import Testing

@testable import EdgeConfig

@Suite struct `Settings that this release does not act on` {
  @Test func `each is refused, not ignored`() {
    let found = errors(in: everything).map { $0.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? "" }
    #expect(
      Set(found) == [
        "pools.chat.protocol: \"link\" is not supported yet; expected websocket",
        "routes[0].close_codes.edge_fault: \"4002\" is not supported yet; expected 1011",
      ])
  }

  @Test func `spelling out that a feature is off is fine`() {
    let text = minimal.replacing("8443\"}", with: "8443\", proxy_protocol: off, protocols: [http/1.1]}")
      .replacing("pool: chat}", with: "pool: chat, messages: null, bytes: null, notice: none, renew: none}")
    #expect(
      errors(in: text + "rules: []\nlimits: {per_ip: {messages: null}, per_user: {connections: null, when_full: reject}}") == [])
  }

  @Test func `a default that is spelled out is fine, and a value that is wrong anyway is refused once`() throws {
    #expect(errors(in: try load(minimal).effectiveYAML()) == [])
    #expect(errors(in: minimal.replacing("8443\"}", with: "8443\", proxy_protocol: required}")).count == 1)
    #expect(errors(in: minimal.replacing("8443\"}", with: "8443\", proxy_protocol: many}")).count == 1)
  }

  @Test func `every path of the list is a key of the format`() throws {
    let findings = Findings()
    _ = try Configuration.load(file: everything, fileName: "s.yaml", notYetSupported: [], findings: findings)
    let known = Set(findings.knownKeys.map { $0.replacing("[]", with: ".*").replacing(".NAME", with: ".*") })
    for entry in NotYetSupported.thisRelease {
      let key = entry.path.last == "*" ? entry.path.dropLast() : entry.path[...]
      #expect(known.contains(key.joined(separator: ".")), "\(entry.path)")
    }
  }
}
