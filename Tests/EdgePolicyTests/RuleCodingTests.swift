import EdgeCore
import EdgePolicy
import Testing

@Suite struct `Rules as JSON` {
  @Test(arguments: [
    #"{"id":"r1","action":"ban","user":"mallory","created":"2026-01-31T23:59:59.000Z","by":"ops"}"#,
    #"{"id":"r999999999999999","action":"ban","user":"a\"\\é","auth":"main","created":"2026-01-31T23:59:59.001Z","expires":"2026-02-01T00:00:00.000Z","reason":"spam","by":"uid:0"}"#,
    #"{"id":"r2","action":"ban","cidr":"10.0.0.0/8","created":"2026-01-31T23:59:59.000Z","by":"ops"}"#,
    #"{"id":"r3","action":"ban","cidr":"2001:db8::/32","created":"2026-01-31T23:59:59.000Z","by":"ops"}"#,
    #"{"id":"seed-0123456789abcdef","action":"revoke","user":"alice","created":"2026-01-31T23:59:59.000Z","by":"configuration"}"#,
    #"{"id":"r4","action":"revoke","user":"alice","issued_before":"2026-01-01T00:00:00.000Z","created":"2026-01-31T23:59:59.000Z","by":"ops"}"#,
    #"{"id":"r5","action":"revoke","jti":"t-1","auth":"main","created":"2026-01-31T23:59:59.000Z","by":"ops"}"#,
    #"{"id":"r6","action":"revoke","issued_before":"2026-01-01T00:00:00.000Z","auth":"main","created":"2026-01-31T23:59:59.000Z","by":"ops"}"#,
    #"{"id":"r7","action":"throttle","user":"bob","messages":{"count":5,"per_ms":60000,"burst":9},"bytes":{"count":1024,"per_ms":1000,"burst":1},"created":"2026-01-31T23:59:59.000Z","by":"ops"}"#,
  ])
  func `are read as they are written`(text: String) throws {
    let rule = try Rule(JSON(parsing: Array(text.utf8)))
    #expect(String(decoding: rule.json.encoded(), as: UTF8.self) == text)
  }

  @Test(arguments: [
    (#"{"user":"a"}"#, "action"), (#"{"action":"kick","user":"a"}"#, "action"), (#"{"action":7,"user":"a"}"#, "action"),
    (#"{"action":"ban"}"#, "user"), (#"{"action":"ban","user":"a","ip":"10.0.0.1"}"#, "user"),
    (#"{"action":"ban","user":""}"#, "user"),
    (#"{"action":"ban","user":"a\u0000"}"#, "user"), (#"{"action":"ban","user":7}"#, "user"),
    (#"{"action":"ban","ip":"10.0.0.0/8"}"#, "ip"), (#"{"action":"ban","cidr":"10.0.0.0/33"}"#, "cidr"),
    (#"{"action":"ban","cidr":"10.0.0.0/8","auth":"main"}"#, "auth"), (#"{"action":"ban","jti":"t"}"#, "user"),
    (#"{"action":"ban","user":"a","jti":"t"}"#, "jti"), (#"{"action":"revoke","ip":"10.0.0.1"}"#, "user"),
    (#"{"action":"revoke","user":"a","ip":"10.0.0.1"}"#, "ip"), (#"{"action":"revoke","user":"a","jti":"t"}"#, "user"),
    (#"{"action":"revoke","jti":"t","issued_before":"2026-01-01T00:00:00Z"}"#, "user"),
    (#"{"action":"revoke","issued_before":1769622000}"#, "issued_before"),
    (#"{"action":"throttle","user":"a"}"#, "messages_per_second"),
    (#"{"action":"throttle","user":"a","messages_per_second":0}"#, "messages_per_second"),
    (#"{"action":"throttle","user":"a","messages_per_second":1.5}"#, "messages_per_second"),
    (#"{"action":"throttle","user":"a","bytes_per_second":5,"burst":5}"#, "burst"),
    (#"{"action":"throttle","user":"a","messages":{"count":1,"per_ms":1}}"#, "messages"),
    (#"{"action":"ban","user":"a","messages_per_second":5}"#, "messages_per_second"),
    (#"{"action":"ban","user":"a","surprise":1}"#, "surprise"), ("[]", ""), ("null", ""),
  ])
  func `that make no sense are refused, and the flaw names the member`(text: String, member: String) throws {
    let json = try JSON(parsing: Array(text.utf8))
    do {
      var members = try RuleMembers(json)
      _ = try RuleEffect(taking: &members)
      try members.finish()
      Issue.record("taken")
    } catch {
      #expect(error.member == member)
    }
  }

  @Test func `a rate in seconds has a burst of its own, or of one second`() throws {
    let text = #"{"action":"throttle","ip":"::ffff:10.0.0.1","messages_per_second":5,"burst":10,"bytes_per_second":1024}"#
    var members = try RuleMembers(JSON(parsing: Array(text.utf8)))
    let expected = Throttle(
      messages: GCRA(units: 5, per: .seconds(1), burst: 10), bytes: GCRA(units: 1024, per: .seconds(1), burst: 1024))
    #expect(try RuleEffect(taking: &members) == .throttle(.network(#require(CIDR("10.0.0.1/32"))), expected))
  }

  @Test(arguments: [
    "", "r", "r0", "r01", "r-1", "r1x", "R1", "r1000000000000000", "17", "seed-", "seed-0123456789abcde", "seed-0123456789abcdeg",
    "é1",
  ])
  func `a name that no rule has is none`(text: String) {
    #expect(RuleID(text) == nil)
  }

  @Test func `a reason is short and printable`() {
    #expect(RuleReason(String(repeating: "x", count: 200)) != nil)
    #expect(RuleReason(String(repeating: "x", count: 201)) == nil)
    #expect(RuleReason("a\u{7}b") == nil)
    #expect(RuleReason("") == nil)
  }
}
