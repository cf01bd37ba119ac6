import Testing

@testable import EdgeConfig

@Suite struct `What is refused, and how it is told` {
  @Test func `every error comes in one go, in the order of the document`() {
    let found = errors(
      in: """
        thraeds: 2
        listeners:
          - name: public
            address: localhost:8443
            tls:
              certificates: [{chain: /c.pem}]
        limits:
          per_ip: {connections: many}
        pools:
          chat: {workers: []}
        routes:
          - {name: chat, match: {path: ws}, pool: chta, idle_timeout: 10}
        """)
    #expect(
      found == [
        "s.yaml:1:1: unknown key \"thraeds\"; did you mean \"threads\"?",
        "s.yaml:4:14: listeners[0].address: \"localhost:8443\" is not allowed here; expected an address such as \"[::]:8443\", "
          + "\"0.0.0.0:8443\", unix:/run/sluice/edge.sock or fd://NAME",
        "s.yaml:6:22: listeners[0].tls.certificates[0]: \"key\" is missing; expected the PEM file of the private key",
        "s.yaml:8:25: limits.per_ip.connections: \"many\" is not allowed here; expected a whole number from 1 to 10000000",
        "s.yaml:10:19: pools.chat.workers: the list is empty; expected at least one of Unix sockets or globs such as /run/chat/*.sock",
        "s.yaml:12:32: routes[0].match.path: \"ws\" is not allowed here; expected a path such as /ws (and all below it) or =/ws "
          + "(alone), without //, dot segments and needless escapes",
        "s.yaml:12:43: routes[0].pool: unknown pool \"chta\"; did you mean \"chat\"?",
        "s.yaml:12:63: routes[0].idle_timeout: \"10\" is not allowed here; expected a duration from 1ms to 30d, such as 10s or 250ms",
      ])
  }

  @Test func `what needs a token is refused on an open route`() {
    let found = errors(in: minimal.replacing("pool: chat}", with: "pool: chat, renew: message}"))
    #expect(found.count == 1)
    #expect(found.first?.hasSuffix("there is no token to renew: the route is open; expected auth beside it") == true)
  }

  @Test func `what is missing is named`() {
    #expect(
      errors(in: "version: 1") == [
        "s.yaml:1:1: \"listeners\" is missing; expected a list of listeners, each with name and address",
        "s.yaml:1:1: \"pools\" is missing; expected a mapping from names to pools",
        "s.yaml:1:1: \"routes\" is missing; expected a list of routes, each with name and pool",
      ])
    #expect(errors(in: "").count == 3)
    #expect(errors(in: "listeners: []\npools: {}\nroutes: []").count == 3)
  }

  @Test(arguments: [
    ("version: 2", "version: \"2\" is not allowed here; expected 1"),
    ("threads: 0", "threads: \"0\" is not allowed here; expected auto or a whole number from 1 to 1024"),
    ("threads: [1]", "threads: a list is not allowed here; expected auto or a whole number from 1 to 1024"),
    ("threads:", "threads: no value is not allowed here; expected auto or a whole number from 1 to 1024"),
    ("drain: {delay: -1s}", "drain.delay: \"-1s\" is not allowed here; expected a duration from 0s to 1d, such as 10s or 250ms"),
    ("drain: 5s", "drain: \"5s\" is not allowed here; expected a mapping"),
    ("log: {level: inof}", "log.level: \"inof\" is not allowed here; did you mean \"info\"?"),
    ("log: {format: xml}", "log.format: \"xml\" is not allowed here; expected one of \"json\", \"text\""),
    ("log: {formt: json}", "log: unknown key \"formt\"; did you mean \"format\"?"),
    ("log: {zzz: json}", "log: unknown key \"zzz\"; expected one of \"access\", \"format\", \"level\""),
    (
      "trusted_proxies: 10.0.0.0/8", "trusted_proxies: \"10.0.0.0/8\" is not allowed here; expected a list of addresses or blocks"
    ),
    (
      "trusted_proxies: [10.0.0.0/33]",
      "trusted_proxies[0]: \"10.0.0.0/33\" is not allowed here; "
        + "expected unix, an address, or a block such as 10.0.0.0/8 or 2001:db8::/32"
    ),
    (
      "timeouts: {stall: {min_bytes: 4K}}",
      "timeouts.stall.min_bytes: \"4K\" is not allowed here; expected a size from 1 to 1GiB, such as 64KiB"
    ),
    (
      "limits: {per_ip: {handshakes: {rate: 10}}}",
      "limits.per_ip.handshakes.rate: \"10\" is not allowed here; expected a rate such as 20/s or 100/m"
    ),
    (
      "limits: {per_ip: {handshakes: {burst: 40}}}",
      "limits.per_ip.handshakes: \"rate\" is missing; expected a rate such as 20/s or 100/m"
    ),
    (
      "limits: {per_ip: {ipv6_cap: {prefix: 65}}}",
      "limits.per_ip.ipv6_cap.prefix: 65 is longer than ipv6_prefix; expected at most 64"
    ),
    (
      "limits: {max_connections: 99999999999999999999}",
      "limits.max_connections: \"99999999999999999999\" is not allowed here; expected a whole number from 1 to 10000000"
    ),
    (
      "admin: {listen: [\"0.0.0.0:9901\"]}",
      "admin.listen[0]: 0.0.0.0:9901 is open to other machines; expected a loopback address or a Unix socket, or admin.allow_public: true"
    ),
    (
      "admin: {listen: [\"127.0.0.1:8443\"]}",
      "admin.listen[0]: 127.0.0.1:8443 is taken by another at s.yaml:1:37; expected an address of its own"
    ),
    (
      "admin: {listen: [\"fd://a:b\"]}",
      "admin.listen[0]: \"fd://a:b\" is not allowed here; expected an address such as \"[::]:8443\", \"0.0.0.0:8443\", "
        + "unix:/run/sluice/edge.sock or fd://NAME"
    ),
    (
      "admin: {listen: [\"fd://a\"], metrics_listen: \"fd://a\"}",
      "admin.metrics_listen: fd://a is taken by another at s.yaml:4:18; expected an address of its own"
    ),
    ("auth: {a: {}}", "auth.a: \"keys\" is missing; expected one of file, url and secret_file"),
    ("auth: {a: {keys: {}}}", "auth.a.keys: there must be one source of keys; expected one of file, url and secret_file"),
    (
      "auth: {a: {keys: {file: x, secret_file: y}}}",
      "auth.a.keys: there must be one source of keys; expected one of file, url and secret_file"
    ),
    (
      "auth: {a: {keys: {file: x, refresh: 5m}}}",
      "auth.a.keys.refresh: refresh goes with url; expected it without file or secret_file"
    ),
    (
      "auth: {a: {keys: {secret_file: x, ca_file: y}}}",
      "auth.a.keys.ca_file: ca_file goes with url; expected it without file or secret_file"
    ),
    (
      "auth: {a: {keys: {url: \"http://id.example/k\"}}}",
      "auth.a.keys.url: \"http://id.example/k\" is not allowed here; expected an https:// address"
    ),
    (
      "auth: {a: {keys: {file: x}, algorithms: [HS256]}}",
      "auth.a.algorithms[0]: HS256 does not fit the keys; expected secret_file with HS256, HS384 and HS512"
    ),
    (
      "auth: {a: {keys: {secret_file: x}, algorithms: [ES256]}}",
      "auth.a.algorithms[0]: ES256 does not fit the keys; expected HS256, HS384 or HS512 with secret_file"
    ),
    (
      "auth: {a: {keys: {file: x}, algorithms: [none]}}",
      "auth.a.algorithms[0]: \"none\" is not allowed here; expected one of \"ES256\", \"ES384\", \"ES512\", \"EdDSA\", \"HS256\", "
        + "\"HS384\", \"HS512\", \"PS256\", \"PS384\", \"PS512\", \"RS256\", \"RS384\", \"RS512\""
    ),
    (
      "auth: {\"a b\": {keys: {file: x}}}",
      "auth.a b: \"a b\" is not allowed as a name; expected a name of at most 64 letters, digits, \"_\" and \"-\""
    ),
  ])
  func `a bad value is told with its key, and what was expected`(document: String, message: String) {
    let found = errors(in: minimal + document)
    #expect(found.map { $0.split(separator: ": ", maxSplits: 1).last.map(String.init) } == [message])
    #expect(found.allSatisfy { $0.hasPrefix("s.yaml:4:") })
  }

  @Test(arguments: [
    "", "/keys", "id.example/keys", "https://", "https:///keys", "HTTPS://id.example/", "ftp://id.example/",
    "https://id.example/#k",
    "https://user@id.example/", "https://user:secret@id.example/", "https://id.example\\@evil.example/", "https://id..example/",
    "https://id.example:/", "https://id.example:0/", "https://id.example:65536/", "https://id.example:+443/",
    "https://id.example:443:443/", "https://[::1/", "https://[::1]x/", "https://id.example/a b", "https://id.exämple/",
    "https://*.example/",
  ])
  func `an address of keys is https, with a host that can be and nothing that must stay secret`(url: String) {
    let found = errors(in: minimal + "auth: {a: {keys: {url: '\(url)'}}}")
    #expect(found.count == 1 && found.allSatisfy { $0.contains("auth.a.keys.url") }, "\(found)")
  }

  @Test(arguments: [
    "https://id.example", "https://id.example:8443/keys?tenant=1", "https://[::1]:8443/", "https://127.0.0.1/k?a@b",
  ])
  func `an address of keys may have a port, a path and a query`(url: String) {
    #expect(errors(in: minimal + "auth: {a: {keys: {url: '\(url)'}}}") == [])
  }

  @Test(arguments: [
    "match: {path: //ws}", "match: {path: /a/../b}", "match: {path: /a/./b}", "match: {path: \"/a?b\"}",
    "match: {path: \"/a#b\"}", "match: {path: /%2f}", "match: {path: /%41}", "match: {path: /%e4}", "match: {path: \"/a\\\\b\"}",
    "match: {path: /ü}", "match: {path: ==/a}", "match: {path: \"\"}", "match: {path: /%4}",
    "match: {host: \"https://a.example\"}", "match: {host: \"a.example:443\"}", "match: {host: \"a..example\"}",
    "match: {host: \"*.*.example\"}", "match: {host: \"a.*\"}", "match: {host: ü.example}", "match: {host: \"\"}",
    "match: {hots: a.example}", "match: []", "match: {path: {}}",
  ])
  func `a match that no request can have is refused`(keys: String) {
    #expect(errors(inRoute: keys).count == 1)
  }

  @Test(arguments: [
    "origins: []", "origins: https://a.example", "origins: [https://a.example/]", "origins: [a.example]",
    "origins: [\"https://*.*.example\"]", "origins: [\"https://*\"]", "origins: [\"https://a*.example\"]", "origins: [\"null\"]",
    "origins: [\"*\", same-origin]", "origins: [\"wss://a.example\"]", "origins: [\"https://a.example:0\"]",
    "origins: [\"https://a.example:65536\"]", "origins: [\"https://user@a.example\"]", "origins: [\"https://[::1\"]",
    "origins: [\"https://*.[::1]\"]", "origins: [\"://a.example\"]",
  ])
  func `an origin that no browser sends is refused`(keys: String) {
    #expect(errors(inRoute: keys).count == 1)
  }

  @Test(arguments: [
    "Connection", "host", "Transfer-Encoding", "Sec-WebSocket-Key", "X-Forwarded-For", "Proxy-Authorization",
    "X-Client-Cert-Subject", "X User", "",
    "X-Real-IP", "Upgrade", "Content-Length", "X-User:", "TE",
  ])
  func `fields that belong to HTTP or to the edge cannot be set`(name: String) {
    let found = errors(inRoute: "headers: {set: {\"\(name)\": a}}")
    #expect(found.count == 1)
    #expect(found.first?.contains("cannot be set") == true)
  }

  @Test(arguments: [
    "{claim.sub", "claim.sub}", "{claim.}", "{sub}", "{}", "{claim.{a}}", " a", "a ", "", "a\\nb", "a\\u00e9", "}{",
  ])
  func `a malformed field value is refused`(value: String) {
    #expect(errors(inRoute: "headers: {set: {X-User: \"\(value)\"}}").count == 1)
  }

  @Test func `a claim needs a token, and a field is set once`() {
    #expect(errors(inRoute: "headers: {set: {X-User: \"{claim.sub}\"}}").first?.contains("expected auth beside it") == true)
    #expect(errors(inRoute: "headers: {set: {X-User: a, x-user: b}}").count == 1)
  }

  @Test(arguments: [1004, 1005, 1006, 1002, 1003, 1007, 1009, 1015, 999, 2999, 5000, 65_536, 1010])
  func `a close code that must not be sent is refused`(code: Int) {
    #expect(errors(inRoute: "close_codes: {idle: \(code)}").count == 1)
  }

  @Test func `names are unique, and no route hides another`() {
    let found = errors(
      in: """
        listeners: [{name: a, address: "127.0.0.1:1"}, {name: a, address: "127.0.0.1:1"}, {name: c, address: "127.0.0.1:0"}, {name: d, address: "127.0.0.1:0"}]
        pools: {p: {workers: [/a]}}
        routes:
          - {name: r, match: {host: A.example., path: /x}, pool: p}
          - {name: s, match: {path: /x, host: a.example}, pool: p}
          - {name: r, match: {path: =/x}, pool: p}
        """)
    #expect(
      found == [
        "s.yaml:1:55: listeners[1].name: \"a\" is taken by another at s.yaml:1:20; expected a name of its own",
        "s.yaml:1:67: listeners[1].address: 127.0.0.1:1 is taken by another at s.yaml:1:32; expected an address of its own",
        "s.yaml:5:22: routes[1].match: the route is never reached: one at s.yaml:4:22 has the same match; "
          + "expected another host or path",
        "s.yaml:6:12: routes[2].name: \"r\" is taken by another at s.yaml:4:12; expected a name of its own",
      ])
  }

  @Test func `null means absent, but an empty auth does not open a route`() throws {
    #expect(errors(in: minimal + "state_dir: null\nadmin: {metrics_listen: ~}\nlimits:\nlog: null") == [])
    #expect(errors(inRoute: "auth: null") == [])
    #expect(errors(inRoute: "auth: ").count == 1)
    #expect(
      errors(inRoute: "auth: main").first?.hasSuffix("routes[0].auth: unknown auth \"main\"; there is none defined") == true)
  }

  @Test(arguments: [
    ("{ban: {user: a}, revoke: {user: a}}", "rules[0]: a rule does one thing; expected one of ban, throttle and revoke"),
    ("{ttl: 1h}", "rules[0]: a rule does one thing; expected one of ban, throttle and revoke"),
    ("{ban: {user: a, ip: 10.0.0.1}}", "rules[0].ban: a rule holds for one subject; expected one of user, ip and cidr"),
    ("{ban: {}}", "rules[0].ban: a rule holds for one subject; expected one of user, ip and cidr"),
    ("{ban: {ip: 10.0.0.1, auth: main}}", "rules[0].ban.auth: auth goes with user; expected no auth"),
    ("{ban: {user: a, auth: mian}}", "rules[0].ban.auth: unknown auth \"mian\"; did you mean \"main\"?"),
    ("{ban: {ip: 10.0.0.0/8}}", "rules[0].ban.ip: \"10.0.0.0/8\" is not allowed here; expected an IP address"),
    (
      "{ban: {user: a}, ttl: 500ms}",
      "rules[0].ttl: \"500ms\" is not allowed here; expected a duration from 1s to 3650d, such as 10s or 250ms"
    ),
    (
      "{revoke: {user: a, jti: t}}",
      "rules[0].revoke: it is not clear which tokens are revoked; "
        + "expected user, jti or issued_before, or user with issued_before"
    ),
    (
      "{revoke: {jti: t, issued_before: \"2026-01-01T00:00:00Z\"}}",
      "rules[0].revoke: it is not clear which tokens are revoked; "
        + "expected user, jti or issued_before, or user with issued_before"
    ),
    (
      "{revoke: {auth: main}}",
      "rules[0].revoke: it is not clear which tokens are revoked; "
        + "expected user, jti or issued_before, or user with issued_before"
    ),
    (
      "{revoke: {issued_before: yesterday}}",
      "rules[0].revoke.issued_before: \"yesterday\" is not allowed here; "
        + "expected a time such as 2026-01-31T23:59:59Z"
    ),
  ])
  func `a rule that makes no sense`(rule: String, expected: String) {
    let text = minimal + "auth: {main: {keys: {file: /k}}}\nrules: [\(rule)]"
    #expect(errors(in: text).map { $0.split(separator: ": ", maxSplits: 1).last.map(String.init) } == [expected])
  }

  @Test func `tokens are not revoked by address`() {
    #expect(errors(in: minimal + "rules: [{revoke: {ip: 10.0.0.1}}]").contains { $0.contains("unknown key \"ip\"") })
  }
}
