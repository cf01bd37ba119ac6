import EdgeAuth
import EdgeCore
import Testing

@Suite struct OriginTests {
  @Test(
    arguments: [
      ("https://example.com", "https", "example.com", 443), ("http://example.com", "http", "example.com", 80),
      ("https://example.com:8443", "https", "example.com", 8443), ("HTTPS://Example.COM", "https", "example.com", 443),
      ("https://example.com:443", "https", "example.com", 443), ("https://example.com.", "https", "example.com", 443),
      ("https://[2001:DB8::1]:444", "https", "[2001:db8::1]", 444), ("http://127.0.0.1:3000", "http", "127.0.0.1", 3000),
      ("chrome-extension://abcdef", "chrome-extension", "abcdef", nil), ("wss://a.example", "wss", "a.example", 443),
    ] as [(String, String, String, UInt16?)])
  func `an origin has one form`(text: String, scheme: String, host: String, port: UInt16?) {
    #expect(Origin(text) == .tuple(scheme: scheme, host: host, port: port))
  }

  @Test func `null is an origin of its own`() {
    #expect(Origin("null") == .opaque)
    #expect(Origin("NULL") == nil)
  }

  @Test(arguments: [
    "", " ", "example.com", "//example.com", "https:", "https:/example.com", "https://", "https:///", "https://example.com/",
    "https://example.com/path", "https://example.com?x", "https://example.com#x", "https://a@example.com", "https://example.com:",
    "https://example.com:0", "https://example.com:65536", "https://example.com:+80", "https://example.com:080x",
    "https://example.com:-1",
    "https://example.com https://evil.example", "https://example.com,https://evil.example", " https://example.com",
    "https://example.com\t",
    "https://exa mple.com", "https://example..com", "https://.example.com", "https://.", "https://example.com..",
    "https://exämple.com",
    "https://example.com\\@evil", "https://exa%6dple.com", "https://*.example.com", "https://[::1", "https://::1", "https://[]",
    "https://[1.2.3.4]", "https://[::1]x", "1https://example.com", "ht_tp://example.com",
    "://example.com",
    "file://", "https://example.com\u{0}", "data:text/html", "null ", "https://\(String(repeating: "a", count: 600))",
  ])
  func `what is no serialised origin is refused`(text: String) {
    #expect(Origin(text) == nil)
  }
}

@Suite struct OriginRuleTests {
  @Test(arguments: [
    ("https://chat.example.com", true), ("https://chat.example.com:443", true), ("https://chat.example.com.", true),
    ("http://chat.example.com", false), ("https://chat.example.com:8443", false), ("https://example.com", false),
    ("https://a.chat.example.com", false), ("https://chat.example.com.evil.example", false), ("wss://chat.example.com", false),
  ])
  func `same origin compares scheme, host and port`(origin: String, isAllowed: Bool) {
    #expect(decide(OriginRule(), origin).isAllowed == isAllowed)
  }

  @Test func `same origin takes the port that the request names`() {
    let rule = OriginRule()
    #expect(decide(rule, "https://localhost:8443", host: "localhost", port: 8443).isAllowed)
    #expect(!decide(rule, "https://localhost:9999", host: "localhost", port: 8443).isAllowed)
    #expect(!decide(rule, "https://localhost", host: "localhost", port: 8443).isAllowed)
    #expect(decide(rule, "http://localhost", scheme: .http, host: "localhost").isAllowed)
    #expect(decide(rule, "https://[::1]:8443", host: "[0:0::1]", port: 8443).isAllowed)
    #expect(!decide(rule, "https://localhost", host: nil).isAllowed)
  }

  @Test(arguments: [
    ("https://*.example.com", "https://a.example.com", true), ("https://*.example.com", "https://a.b.example.com", true),
    ("https://*.example.com", "https://A.EXAMPLE.com", true), ("https://*.example.com", "https://example.com", false),
    ("https://*.example.com", "https://evilexample.com", false),
    ("https://*.example.com", "https://a.example.com.evil.net", false),
    ("https://*.example.com", "http://a.example.com", false), ("https://*.example.com", "https://a.example.com:8443", false),
    ("https://*.example.com", "https://.example.com", false), ("https://*.example.com:8443", "https://a.example.com:8443", true),
    ("https://*.example.com", "null", false), ("https://app.example", "https://app.example", true),
    ("https://app.example:443", "https://app.example", true), ("https://app.example", "https://app.example:444", false),
    ("same-origin", "https://chat.example.com", true), ("*", "https://anything.example", true), ("*", "file://", true),
    ("*", "null", true),
  ])
  func `an entry allows what it says`(pattern: String, origin: String, isAllowed: Bool) throws {
    let rule = OriginRule(patterns: [try #require(OriginPattern(pattern))])
    #expect(decide(rule, origin).isAllowed == isAllowed)
  }

  @Test func `any entry of several may allow`() throws {
    let rule = OriginRule(patterns: [.sameOrigin, try #require(OriginPattern("https://*.example.org"))])
    #expect(decide(rule, "https://chat.example.com").isAllowed)
    #expect(decide(rule, "https://a.example.org").isAllowed)
    #expect(decide(rule, "https://a.example.net") == .denied(.notAllowed))
  }

  @Test(arguments: [
    "", "null", "**", "https://*", "https://*.", "https://*.*.com", "https://a.*.com", "*.example.com", "https://*example.com",
    "https://*.[::1]", "https://example.com/", "example.com", "SAME-ORIGIN", "wss://chat.example.com", "ws://*.example.com",
  ])
  func `an entry that could not mean anything is refused`(text: String) {
    #expect(OriginPattern(text) == nil)
  }

  @Test(arguments: [
    ("*", "*"), ("same-origin", "same-origin"), ("HTTPS://Example.com:443", "https://example.com"),
    ("http://[0:0::1]:8080", "http://[::1]:8080"), ("https://*.example.com", "https://*.example.com"),
    ("https://*.Example.com:8443", "https://*.example.com:8443"), ("app://chat", "app://chat"),
  ])
  func `an entry is written in one way, which reads back the same`(text: String, written: String) throws {
    let pattern = try #require(OriginPattern(text))
    #expect(pattern.description == written)
    #expect(OriginPattern(written) == pattern)
  }

  @Test func `a missing origin matters on upgrades only`() throws {
    let listed = OriginRule(patterns: [try #require(OriginPattern("https://app.example"))])
    #expect(listed.decide(origins: [], scheme: .https, host: "h", port: nil, isUpgrade: true) == .denied(.missing))
    #expect(listed.decide(origins: [], scheme: .https, host: "h", port: nil, isUpgrade: false) == .allowed)
    #expect(
      listed.decide(origins: ["https://evil.example"], scheme: .https, host: "h", port: nil, isUpgrade: false)
        == .denied(.notAllowed))
  }

  @Test(
    arguments: [
      ([.sameOrigin], .allow, .refuse), ([.any], .allow, .allow), ([.exact(.opaque)], .refuse, .refuse), ([], .refuse, .refuse),
    ] as [([OriginPattern], OriginRule.Fallback, OriginRule.Fallback)])
  func `defaults refuse where origins are listed`(
    patterns: [OriginPattern], missing: OriginRule.Fallback, null: OriginRule.Fallback
  ) {
    let rule = OriginRule(patterns: patterns)
    #expect(rule.missing == missing)
    #expect(rule.null == null)
  }

  @Test func `settings for missing and null are obeyed`() {
    let open = OriginRule(patterns: [], missing: .allow, null: .allow)
    #expect(open.decide(origins: [], scheme: .https, host: "h", port: nil, isUpgrade: true) == .allowed)
    #expect(decide(open, "null") == .allowed)
    let closed = OriginRule(patterns: [.any], missing: .refuse, null: .refuse)
    #expect(closed.decide(origins: [], scheme: .https, host: "h", port: nil, isUpgrade: true) == .denied(.missing))
    #expect(decide(closed, "null") == .denied(.null))
  }

  @Test func `two origins are denied whatever the rule`() {
    let origins = ["https://chat.example.com", "https://chat.example.com"]
    for rule in [OriginRule(), OriginRule(patterns: [.any])] {
      let verdict = rule.decide(origins: origins, scheme: .https, host: "chat.example.com", port: nil, isUpgrade: true)
      #expect(verdict == .denied(.repeated))
    }
  }

  private func decide(
    _ rule: OriginRule, _ origin: String, scheme: HTTPScheme = .https, host: String? = "chat.example.com", port: UInt16? = nil
  ) -> OriginVerdict {
    rule.decide(origins: [origin], scheme: scheme, host: host, port: port, isUpgrade: true)
  }
}

extension OriginVerdict {
  fileprivate var isAllowed: Bool { self == .allowed }
}
