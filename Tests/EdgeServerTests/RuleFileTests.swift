import EdgeCore
import EdgePolicy
import Testing

@testable import EdgeServer

@Suite struct `The file of rules` {
  private let now = WallTime(seconds: 1_000_000)

  @Test func `is read as it is written, without the configuration's own rules`() throws {
    var table = RuleTable()
    _ = try table.add(.ban(.user(VouchedName("seed", by: nil))), for: nil, author: "configuration", isSeed: true, now: now)
    for name in ["a", "b", "c\" \\ \u{e9}"] {
      _ = try table.add(
        .ban(.user(VouchedName(name, by: "main"))), for: .seconds(9), reason: RuleReason("why"), author: "ops", now: now)
    }
    _ = try table.add(.ban(.network(#require(CIDR("10.0.0.0/8")))), for: nil, author: "ops", now: now)
    _ = try table.add(.revoke(.ofUser(VouchedName("a", by: nil), issuedBefore: nil)), for: nil, author: "ops", now: now)
    _ = table.remove(.made(2))
    let file = RuleFile(table)
    #expect(file.rules.map(\.id) == [.made(1), .made(3), .made(4), .made(5)])
    let read = try RuleFile(parsing: file.encoded)
    #expect(read.rules == file.rules && read.nextNumber == 6)
  }

  @Test func `without rules remembers how far the numbers have come`() throws {
    var table = RuleTable()
    let id = try table.add(.ban(.user(VouchedName("a", by: nil))), for: nil, author: "ops", now: now).rule.id
    _ = table.remove(id)
    let text = String(decoding: RuleFile(table).encoded, as: UTF8.self)
    #expect(text == "{\"version\":1,\"next\":2,\"rules\":[\n]}\n")
    #expect(try RuleFile(parsing: Array(text.utf8)).nextNumber == 2)
  }

  @Test(arguments: [
    ("", "no JSON: unexpected end at byte 0"), ("[]", "expected an object with version 1, next and rules"),
    (#"{"version":1,"next":0,"rules":[]}"#, "expected an object with version 1, next and rules"),
    (#"{"version":1,"next":9999999999999999,"rules":[]}"#, "expected an object with version 1, next and rules"),
    (#"{"version":1,"next":1,"rules":[[]]}"#, "rule 1: a rule must be an object"),
    (
      #"{"version":1,"next":1,"rules":[{"id":"seed-0123456789abcdef","action":"ban","user":"a","created":"2026-01-01T00:00:00Z","by":"x"}]}"#,
      "rule 1: id must be a name such as r17"
    ),
  ])
  func `says what is wrong with it`(text: String, problem: String) {
    #expect { try RuleFile(parsing: Array(text.utf8)) } throws: { "\($0)" == problem }
  }

  @Test func `that was cut or has a flipped bit is refused or read, and never a crash`() throws {
    var table = RuleTable()
    for number in 0..<3 {
      _ = try table.add(.ban(.user(VouchedName("u\(number)", by: "main"))), for: .seconds(9), author: "ops", now: now)
    }
    let whole = RuleFile(table).encoded
    for length in whole.indices.dropLast(2) {
      #expect(throws: (any Error).self) { try RuleFile(parsing: Array(whole[..<length])) }
    }
    for position in whole.indices {
      for bit in 0..<8 {
        var broken = whole
        broken[position] ^= 1 << bit
        guard let file = try? RuleFile(parsing: broken) else { continue }
        var other = RuleTable()
        _ = try? other.restore(file.rules, nextNumber: file.nextNumber, now: now)
      }
    }
  }
}
