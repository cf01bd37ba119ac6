import EdgeCore
import Testing

@testable import ControlCore

@Suite struct `Where the edge is` {
  @Test(arguments: [
    ("unix:///run/sluice/admin.sock", ServerAddress.unix(path: "/run/sluice/admin.sock")),
    ("unix:/run/a.sock", .unix(path: "/run/a.sock")),
    ("/run/a.sock", .unix(path: "/run/a.sock")), ("http://127.0.0.1:9901", .http(authority: "127.0.0.1:9901")),
    ("http://[::1]:9901/", .http(authority: "[::1]:9901")), ("http://localhost", .http(authority: "localhost")),
  ])
  func `is a socket or an address`(text: String, address: ServerAddress) {
    #expect(ServerAddress(text) == address)
    #expect(ServerAddress(address.description) == address)
  }

  @Test(arguments: [
    "", "unix://", "unix:", "unix://run/a.sock", "/", "https://localhost", "http://", "http://user@host", "http://host/api",
    "http://host?x",
    "http://ho st", "http://host\u{0}", "ftp://host", "localhost:9901", "http://host\\x", "http://host#x",
  ])
  func `is nothing else`(text: String) {
    #expect(ServerAddress(text) == nil)
  }

  @Test(arguments: [
    ("http://127.0.0.1:9901", false), ("http://[::1]:1", false), ("http://localhost:1", false), ("/run/a.sock", false),
    ("http://10.0.0.1:9901", true), ("http://edge.example:9901", true), ("http://[2001:db8::1]:1", true),
    ("http://127.0.0.1.evil", true),
  ])
  func `may be a place that a token should not travel to in the clear`(text: String, isExposed: Bool) {
    #expect(ServerAddress(text)?.isExposed == isExposed)
  }
}

@Suite struct `A request` {
  @Test func `escapes what it is about`() {
    let request = APIRequest(.patch, "workers", "/run/chat/a b?.sock", query: [("user", "a&b=ü"), ("ip", nil), ("limit", "10")])
    #expect(request.target == "/api/v1/workers/%2Frun%2Fchat%2Fa%20b%3F.sock?user=a%26b%3D%C3%BC&limit=10")
    #expect(APIRequest(.get, "status").target == "/api/v1/status")
  }

  @Test func `says only what is meant`() {
    let none: String? = nil
    let body = JSON.object(present: [("all", .flag(false)), ("dry_run", .flag(true)), ("reason", none.map(JSON.string))])
    #expect(body == ["dry_run": true])
  }
}

@Suite struct `A rate on the command line` {
  @Test(arguments: [("5/s", 5), ("300/m", 5), ("10/2s", 5), ("1000/ms", 1_000_000)] as [(String, Int64)])
  func `is so many a second`(text: String, perSecond: Int64) {
    #expect(Quantity.perSecond(text, count: Quantity.integer) == perSecond)
  }

  @Test(arguments: [
    "5", "5/", "/s", "0/s", "-1/s", "1/m", "5/s/s", "5.5/s", "99999999999999999999/s", "9223372036854775807/ms", "x/s",
  ])
  func `is whole and positive`(text: String) {
    #expect(Quantity.perSecond(text, count: Quantity.integer) == nil)
  }

  @Test func `may be in bytes`() {
    #expect(Quantity.perSecond("64KiB/s", count: Quantity.size) == 65_536)
  }
}

@Suite struct `JSON for scripts` {
  @Test func `means the same and is safe to look at`() throws {
    let value: JSON = ["user": "\u{1b}\u{9b}\u{202e}\u{e0041}\u{2028}ü", "n": 1]
    #expect(value.terminalSafeText == #"{"user":"\u001b\u009b\u202e\udb40\udc41\u2028ü","n":1}"#)
    #expect(try JSON(parsing: Array(value.terminalSafeText.utf8)) == value)
  }
}

@Suite struct `A refusal of the edge` {
  @Test(
    arguments: [
      (400, "bad_query", 64), (401, "token_missing", 77), (401, "token_invalid", 77), (403, "role_too_low", 77),
      (429, "too_many_failures", 77),
      (404, "no_such_connection", 65), (404, "not_found", 1), (409, "rules_full", 1), (422, "bad_configuration", 78),
      (503, "timeout", 69),
      (500, "error", 1), (302, "moved", 1),
    ] as [(Int, String, Int32)])
  func `has an exit code`(status: Int, word: String, code: Int32) {
    let problem: JSON = ["error": .string(word), "detail": "Why."]
    #expect(ControlFailure(status: status, problem: problem, target: "/api/v1/x").exitCode == code)
    #expect(ControlFailure(status: status, problem: nil, target: "/api/v1/x").exitCode == (status == 404 ? 1 : code))
  }

  @Test func `says what to do, and which member is wrong`() {
    let problem: JSON = ["error": "bad_body", "detail": "code must be a number.", "field": "code"]
    #expect(ControlFailure(status: 400, problem: problem, target: "/").description == "code must be a number. (code)")
    let missing = ControlFailure(status: 401, problem: ["error": "token_missing", "detail": "Send a token."], target: "/")
    #expect(missing.description.contains("--token-file"))
    #expect(ControlFailure(status: 500, problem: ["detail": "\u{1b}[2J"], target: "/").description == "\\u{1b}[2J")
  }

  @Test func `lists every error of a configuration by its place`() {
    let problem: JSON = [
      "errors": [
        ["path": "limits.per_ip", "line": 3, "column": 7, "message": "unknown key"],
        ["path": "", "line": nil, "column": nil, "message": "two\nlines"], [:], nil,
      ]
    ]
    let failure = ControlFailure(status: 422, problem: problem, target: "/")
    #expect(failure.description == "3:7: limits.per_ip: unknown key\ntwo\\u{a}lines\nwrong\nwrong")
    #expect(failure.inFile("a.yaml").description.hasPrefix("a.yaml:3:7: limits.per_ip: unknown key\na.yaml: two"))
    let bare = ControlFailure(status: 422, problem: ["detail": "No."], target: "/")
    #expect(bare.description == "No." && bare.exitCode == 78)
    #expect(ControlFailure.usage("x").inFile("a.yaml") == .usage("x"))
  }
}
