import Foundation
import Testing

@testable import EdgeConfig

/// The shortest document that is valid; the tests add to it.
let minimal = """
  listeners: [{name: public, address: "127.0.0.1:8443"}]
  pools: {chat: {workers: [/run/chat/a.sock]}}
  routes: [{name: chat, match: {path: /ws}, pool: chat}]

  """

func load(
  _ text: String, environment: [String: String] = [:], overrides: [ConfigurationOverride] = []
) throws(ConfigurationErrors) -> Configuration {
  try Configuration.load(file: text, fileName: "s.yaml", environment: environment, overrides: overrides)
}

/// The same, with everything accepted that this release does not act on yet.
func loadAll(_ text: String) throws(ConfigurationErrors) -> Configuration {
  try Configuration.load(file: text, fileName: "s.yaml", notYetSupported: [], findings: Findings())
}

/// The errors of a document, a line each; empty when it is valid.
func errors(
  in text: String, environment: [String: String] = [:], overrides: [ConfigurationOverride] = []
) -> [String] {
  do throws(ConfigurationErrors) {
    _ = try load(text, environment: environment, overrides: overrides)
    return []
  } catch {
    return error.errors.map(\.description)
  }
}

/// The errors of the minimal document with these keys for its only route.
func errors(inRoute keys: String) -> [String] {
  errors(
    in: """
      listeners: [{name: public, address: "127.0.0.1:8443"}]
      pools: {chat: {workers: [/run/chat/a.sock]}}
      routes: [{name: chat, pool: chat, \(keys)}]
      """)
}

/// A file of the repository.
func repositoryFile(_ name: String) throws -> String {
  let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  return try String(contentsOf: root.appending(path: name), encoding: .utf8)
}

/// Every key of the format, each with a value other than its default.
let everything = """
  version: 1
  threads: 4
  state_dir: /srv/sluice
  listeners:
    - name: public
      address: "[2001:db8::1]:8443"
      protocols: [h2, http/1.1]
      tls:
        certificates: [{chain: /c1.pem, key: /k1.pem}, {chain: /c2.pem, key: /k2.pem}]
        min_version: "1.3"
        client_ca: /ca.pem
        client_certificates: optional
      proxy_protocol: required
    - {name: local, address: "unix:/run/sluice/edge.sock"}
    - {name: manager, address: "fd://edge"}
  trusted_proxies: [unix, 10.0.0.0/8, "2001:db8::/32"]
  timeouts:
    {handshake: 1s, head: 2s, body_progress: 3s, connect: 4s, worker_response: 5s, close: 6s, stall: {min_bytes: 1KiB, timeout: 7s}}
  limits:
    max_connections: 1000
    handshakes: {rate: 100/s, queue_timeout: 1s}
    exempt: [192.0.2.1]
    per_ip:
      connections: 5
      handshakes: {rate: 100/m, burst: 7}
      ipv6_prefix: 56
      ipv6_cap: {prefix: 40, factor: 8}
      messages: {rate: 100/s, burst: 200, over: drop}
      bytes: {rate: 1MiB/s, burst: 2MiB, over: close, close_after: 10s}
    per_user:
      connections: 10
      messages: {rate: 50/s}
      bytes: {rate: 3KiB/10s}
      when_full: replace_oldest
  auth:
    main:
      issuer: https://id.example.com/
      audience: [chat, other]
      algorithms: [ES256]
      keys: {url: "https://id.example.com/jwks", refresh: 5m, stale_for: 1h, ca_file: /ca.pem}
      token_from: [header, cookie:session, subprotocol, query:token, first_message]
      required_claims: [scope]
      user_claim: uid
      leeway: 0s
    shared: {keys: {secret_file: /secret}, algorithms: [HS512]}
    file: {keys: {file: /jwks.json}}
  pools:
    chat:
      workers: ["/run/chat/*.sock"]
      protocol: link
      balance: cookie
      cookie_secret_file: /cookie
      health: {path: /healthz, interval: 1s, timeout: 500ms, fall: 5, rise: 6}
    rooms: {workers: [/run/rooms/1.sock, /run/rooms/2.sock], balance: "hash:query:room"}
  routes:
    - name: chat
      match: {host: "*.example.com", path: "=/ws"}
      pool: chat
      auth: main
      origins: ["https://chat.example.com", "https://*.example.com:8443", same-origin, "app://chat"]
      origin_missing: allow
      origin_null: allow
      reject: {origin: close, auth: close, rate: close, banned: close}
      subprotocols: [chat.v1, chat.v2]
      max_message: 64KiB
      max_send_queue: 256KiB
      check_utf8: false
      messages: {rate: 20/s, burst: 40, over: delay, close_after: 30s}
      bytes: {rate: 64KiB/s, burst: 256KiB, over: delay}
      notice: envelope
      renew: message
      ping: {interval: 5s, timeout: 6s}
      idle_timeout: 1h
      headers: {strip_token: false, set: {X-User: "{claim.sub}", X-Both: "a{{b}} {claim.email}!"}}
      close_codes: {idle: 4000, policy: 4001, edge_fault: 4002, drain: 4003, overload: 4004, worker_lost: 4005, auth: 4006,
        banned: 4007, timeout: 4008, replaced: 4009, rate: 4010}
    - {name: open, match: {host: Chat.Example.COM.}, pool: rooms, origins: ["*"]}
  rules:
    - {ban: {user: mallory}, ttl: 1h}
    - {throttle: {ip: 192.0.2.7, messages: 5/s, bytes: 1KiB/s}}
    - {ban: {user: mallory, auth: main}}
    - {revoke: {user: alice}}
    - {revoke: {user: alice, auth: main, issued_before: "2026-01-01T01:00:00+01:00"}}
    - {revoke: {jti: t-1, auth: shared}}
    - {revoke: {issued_before: "2026-01-01T00:00:00Z", auth: main}}
  admin:
    listen: ["0.0.0.0:9901"]
    allow_public: true
    metrics_listen: "[::]:9902"
    tokens_file: /tokens
    audit_log: /audit.jsonl
  reload: {close_removed: true}
  drain: {delay: 1s, spread: 2s, timeout: 3s}
  log: {format: text, level: debug, access: "/var/log/${unused}.jsonl"}
  """.replacing("${unused}", with: "$${literal}")
