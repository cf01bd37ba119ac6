import EdgeHTTP
import Testing

@Suite struct ResponseHeadParserTests {
  @Test(
    arguments: [
      ("HTTP/1.1 200 OK", 200, "OK", .http11), ("HTTP/1.0 404 Not Found", 404, "Not Found", .http10),
      ("HTTP/1.1 200 ", 200, "", .http11), ("HTTP/1.1 200", 200, "", .http11), ("HTTP/1.1 599 a  b é", 599, "a  b é", .http11),
    ] as [(String, Int, String, HTTPVersion)])
  func `RFC 9112 §4: a status line is read`(line: String, status: Int, reason: String, version: HTTPVersion) {
    let expected = ResponseHead(status: status, reason: reason, version: version, fields: ["Server": "w"])
    #expect(responses(in: "\(line)\r\nServer: w\r\n\r\n") == Parsed(heads: [expected]))
  }

  @Test(
    arguments: [
      ("HTTP/1.1  200 OK", .statusLine), ("HTTP/1.1 20 OK", .statusLine), ("HTTP/1.1 2000 OK", .statusLine),
      ("HTTP/1.1 20x OK", .statusLine), ("HTTP/1.1 099 OK", .statusLine), ("HTTP/1.1 600 OK", .statusLine),
      ("HTTP/1.1", .statusLine), ("", .statusLine), ("HTTP/2.0 200 OK", .versionNotSupported), ("ICY 200 OK", .version),
      (" HTTP/1.1 200 OK", .statusLine), ("http/1.1 200 OK", .version),
    ] as [(String, HTTPParseError)])
  func `RFC 9112 §4: a wrong status line is refused`(line: String, expected: HTTPParseError) {
    #expect(responses(in: "\(line)\r\n\r\n").error == expected)
  }

  @Test func `a worker's fields are checked like a client's`() {
    #expect(responses(in: "HTTP/1.1 200 OK\r\nA : b\r\n\r\n").error == .fieldName)
    #expect(responses(in: "HTTP/1.1 200 OK\nA: b\n\n").error == .lineEnding)
    #expect(responses(in: "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n").error == .lineFolding)
  }

  @Test func `interim answers come before the final one`() {
    let parsed = responses(
      in: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
    #expect(parsed.heads.map(\.status) == [100, 103, 204])
    #expect(parsed.heads.map(\.isInterim) == [true, true, false])
    #expect(!ResponseHead(status: 101).isInterim)
  }

  @Test func `a reason of ours cannot end its line`() {
    #expect(text { ResponseHead(status: 200, reason: "a\r\nb").serialize(into: &$0) } == "HTTP/1.1 200 a%0D%0Ab\r\n\r\n")
  }
}

@Suite struct KeepAliveTests {
  @Test(
    arguments: [
      ("HTTP/1.1", "", true), ("HTTP/1.1", "Connection: close\r\n", false), ("HTTP/1.1", "Connection: x, CLOSE\r\n", false),
      ("HTTP/1.1", "Connection: x\r\nConnection: close\r\n", false), ("HTTP/1.1", "Connection: closed\r\n", true),
      ("HTTP/1.0", "", false), ("HTTP/1.0", "Connection: Keep-Alive\r\n", true),
      ("HTTP/1.0", "Connection: keep-alive, close\r\n", false),
    ])
  func `RFC 9112 §9.3: the connection goes on unless somebody says otherwise`(version: String, lines: String, goesOn: Bool) {
    #expect(requests(in: "GET / \(version)\r\nHost: a\r\n\(lines)\r\n").heads.first?.wantsKeepAlive == goesOn)
    #expect(responses(in: "\(version) 200 OK\r\n\(lines)\r\n").heads.first?.allowsKeepAlive == goesOn)
  }

  @Test(
    arguments: [
      ("HTTP/1.1", "Content-Length: 1\r\nExpect: 100-Continue\r\n", true), ("HTTP/1.1", "Expect: 100-continue\r\n", false),
      ("HTTP/1.1", "Content-Length: 0\r\nExpect: 100-continue\r\n", false), ("HTTP/1.1", "Content-Length: 1\r\n", false),
      ("HTTP/1.0", "Content-Length: 1\r\nExpect: 100-continue\r\n", false),
      ("HTTP/1.1", "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n", true),
    ])
  func `RFC 9110 §10.1.1: a client waits for 100 only with a body and in HTTP 1.1`(version: String, lines: String, waits: Bool) {
    #expect(requests(in: "POST / \(version)\r\nHost: a\r\n\(lines)\r\n").heads.first?.expectsContinue == waits)
  }
}
