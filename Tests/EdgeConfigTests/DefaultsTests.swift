import EdgeAuth
import EdgeCore
import EdgePolicy
import EdgeRouting
import Testing

@testable import EdgeConfig

@Suite struct `Defaults and the whole format` {
  @Test func `a minimal document has the documented defaults`() throws {
    let configuration = try load(minimal)
    #expect(configuration.version == 1)
    #expect(configuration.threads == .auto)
    #expect(configuration.stateDirectory == "/var/lib/sluice")
    #expect(configuration.listeners[0].protocols == [.http1])
    #expect(configuration.listeners[0].tls == nil)
    #expect(configuration.listeners[0].proxyProtocol == .off)
    #expect(configuration.timeouts.handshake == .seconds(10))
    #expect(configuration.timeouts.bodyProgress == .seconds(30))
    #expect(configuration.timeouts.stall == Configuration.Stall(minBytes: 4096, timeout: .seconds(30)))
    #expect(configuration.limits.maxConnections == 50_000)
    #expect(configuration.limits.handshakes == Configuration.Admission(rate: .auto, queueTimeout: .seconds(10)))
    #expect(configuration.limits.perIP.connections == 50)
    #expect(configuration.limits.perIP.handshakes.rate == Configuration.Rate(count: 10, per: .seconds(1)))
    #expect(configuration.limits.perIP.handshakes.burst == 40)
    #expect(configuration.limits.perIP.ipv6Cap == Configuration.IPv6Cap(prefix: 48, factor: 16))
    #expect(configuration.limits.perIP.messages == nil)
    #expect(configuration.limits.perUser == .init(connections: nil, messages: nil, bytes: nil, whenFull: .reject))
    #expect(configuration.auth.isEmpty)
    #expect(configuration.pools[0].balance == .any(.leastConnections))
    #expect(configuration.pools[0].health == nil)
    #expect(configuration.admin.listen == [.tcp(IPAddress(v4: 0x7f00_0001), port: 9901)])
    #expect(configuration.drain == Configuration.Drain(delay: .seconds(5), spread: .seconds(30), timeout: .seconds(60)))
    #expect(configuration.log == Configuration.Log(format: .json, level: .info, access: nil))
  }

  @Test func `a route without policy takes pages of its own origin only and limits message and queue`() throws {
    let route = try load(minimal).routes[0]
    #expect(route.match == RoutePattern(host: .any, path: .prefix("/ws")))
    #expect(route.auth == nil)
    #expect(route.origins == OriginRule(patterns: [.sameOrigin], missing: .allow, null: .refuse))
    #expect(route.reject == Configuration.Rejections(origin: .http, auth: .http, rate: .http, banned: .http))
    #expect(route.maxMessage == 1_048_576)
    #expect(route.maxSendQueue == 131_072)
    #expect(route.checkUTF8)
    #expect(route.ping == Configuration.Ping(interval: .seconds(25), timeout: .seconds(20)))
    #expect(route.idleTimeout == .seconds(600))
    #expect(route.headers == Configuration.Headers(stripToken: true, set: []))
    #expect(route.closeCodes.rate == 4429)
  }

  @Test(arguments: [
    ("", OriginRule.Fallback.allow, OriginRule.Fallback.refuse),
    ("origins: same-origin", .allow, .refuse),
    ("origins: same-origin, origin_missing: refuse", .refuse, .refuse),
    ("origins: [same-origin, \"https://a.example\"]", .refuse, .refuse),
    ("origins: [\"https://a.example\"]", .refuse, .refuse),
    ("origins: \"*\"", .allow, .allow),
    ("origins: [\"*\"], origin_null: refuse", .allow, .refuse),
  ])
  func `a missing origin is refused where origins are listed`(
    keys: String, missing: OriginRule.Fallback, null: OriginRule.Fallback
  ) throws {
    let text = minimal.replacing("pool: chat}", with: "pool: chat, \(keys)}")
    let route = try load(text).routes[0]
    #expect(route.origins.missing == missing)
    #expect(route.origins.null == null)
  }

  @Test func `token algorithms follow the kind of key`() throws {
    let auth = try load(minimal + "auth: {a: {keys: {file: k}}, b: {keys: {secret_file: s}}}").auth
    #expect(auth["a"]?.algorithms == [.es256, .rs256, .edDSA])
    #expect(auth["b"]?.algorithms == [.hs256])
    #expect(auth["a"]?.tokenFrom == [.header])
    #expect(auth["a"]?.userClaim == "sub")
    #expect(auth["a"]?.leeway == .seconds(30))
  }

  @Test func `a socket that the service manager passes may have any name that systemd gives it`() throws {
    let names = ["3", "sluice.socket", "chat@1.socket"]
    let listen = names.map { "\"fd://\($0)\"" }.joined(separator: ", ")
    let configuration = try load(minimal + "admin: {listen: [\(listen)]}")
    #expect(configuration.passedSocketNames == names)
    #expect(configuration.socketAddresses.map(\.text).suffix(3) == names.map { "fd://\($0)" })
  }

  @Test func `every key of the format is understood`() throws {
    let configuration = try loadAll(everything)
    let first = try #require(configuration.routes.first)
    #expect(configuration.threads == .count(4))
    #expect(configuration.listeners.map(\.address.text) == ["[2001:db8::1]:8443", "unix:/run/sluice/edge.sock", "fd://edge"])
    #expect(configuration.listeners[0].tls?.clientCertificates == .optional)
    #expect(configuration.limits.perUser.bytes?.rate == Configuration.Rate(count: 3072, per: .seconds(10)))
    #expect(configuration.limits.perUser.messages?.burst == 50)
    #expect(configuration.pools.map(\.name) == ["chat", "rooms"])
    #expect(configuration.pools[1].balance == .hash(.query(name: "room")))
    #expect(first.match == RoutePattern(host: .wildcard(suffix: ".example.com"), path: .exact("/ws")))
    let origins: [OriginPattern] = [
      .exact(.tuple(scheme: "https", host: "chat.example.com", port: 443)),
      .subdomains(scheme: "https", suffix: ".example.com", port: 8443), .sameOrigin,
      .exact(.tuple(scheme: "app", host: "chat", port: nil)),
    ]
    #expect(first.origins == OriginRule(patterns: origins, missing: .allow, null: .allow))
    #expect(try first.headers.set.last?.value.value(for: ["email": "a@b"]) == "a{b} a@b!")
    #expect(configuration.routes[1].match.host == .exact("chat.example.com"))
    let throttle = Throttle(
      messages: GCRA(units: 5, per: .seconds(1), burst: 5), bytes: GCRA(units: 1024, per: .seconds(1), burst: 1024))
    #expect(configuration.rules[1].effect == .throttle(.network(CIDR(IPAddress(v4: 0xc000_0207), prefixBits: 32)), throttle))
    #expect(configuration.rules[0].ttl == .seconds(3600))
    let time = WallTime(seconds: 1_767_225_600)
    #expect(
      configuration.rules.dropFirst(2).map(\.effect) == [
        .ban(.user(VouchedName("mallory", by: "main"))), .revoke(.ofUser(VouchedName("alice", by: nil), issuedBefore: nil)),
        .revoke(.ofUser(VouchedName("alice", by: "main"), issuedBefore: time)),
        .revoke(.token(VouchedName("t-1", by: "shared"))), .revoke(.ofAuth("main", issuedBefore: time)),
      ])
    #expect(configuration.log.access == "/var/log/${literal}.jsonl")
  }
}
