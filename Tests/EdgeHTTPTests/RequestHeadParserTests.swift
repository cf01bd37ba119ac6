import EdgeHTTP
import Testing

@Suite struct RequestHeadParserTests {
  @Test func `a request is read into its parts`() throws {
    let parsed = requests(in: "GET /ws?room=1 HTTP/1.1\r\nHost: Chat.Example.com:8443\r\nAccept: */*\r\n\r\n")
    let head = try #require(parsed.heads.first)
    #expect(parsed.error == nil && parsed.heads.count == 1 && !parsed.isPartial)
    #expect(head.method == "GET")
    #expect(head.target.path == "/ws")
    #expect(head.target.query == "room=1")
    #expect(head.version == .http11)
    #expect(head.host == "chat.example.com")
    #expect(head.authority?.port == 8443)
    #expect(head.fields["accept"] == "*/*")
    #expect(head.bodyFraming == .none)
  }

  @Test func `pipelined requests come out one by one`() {
    let parsed = requests(in: "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHo")
    #expect(parsed.heads.map(\.target.path) == ["/1", "/2"])
    #expect(parsed.error == nil && parsed.isPartial)
  }

  @Test func `consumed counts the bytes of the last span up to the body`() throws {
    var parser = RequestHeadParser()
    #expect(try parser.receive(latin1("POST / HTTP/1.1\r\nHost: a\r\n").span) == .needMore)
    guard case .complete(let head, let consumed) = try parser.receive(latin1("Content-Length: 4\r\n\r\nbody").span) else {
      Issue.record("the head is whole")
      return
    }
    #expect(consumed == 21)
    #expect(head.bodyFraming == .length(4))
  }

  @Test func `one empty line before a request is skipped, a second one is not`() {
    #expect(requests(in: "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").heads.count == 1)
    #expect(requests(in: "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").error == .method)
  }

  @Test(
    arguments: [
      ("GET  / HTTP/1.1", .requestLine), ("GET /", .requestLine), ("GET / HTTP/1.1 ", .requestLine), ("GET", .requestLine),
      (" GET / HTTP/1.1", .method), ("GE(T / HTTP/1.1", .method), ("GET\t/ HTTP/1.1", .method), ("é / HTTP/1.1", .method),
      ("GET / http/1.1", .version), ("GET / HTTP/1", .version), ("GET / HTTP/1.10", .version), ("GET / HTP/1.1", .version),
      ("GET / HTTP/1,1", .version), ("GET / HTTP/11", .version), ("GET / ", .version), ("GET / HTTP/x.1", .version),
      ("GET / HTTP/0.9", .versionNotSupported), ("GET / HTTP/1.2", .versionNotSupported),
      ("GET / HTTP/2.0", .versionNotSupported), ("PRI * HTTP/2.0", .versionNotSupported),
      ("CONNECT a:443 HTTP/1.1", .methodNotImplemented), ("TRACE / HTTP/1.1", .methodNotImplemented),
      ("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGH / HTTP/1.1", .methodNotImplemented),
      ("GET * HTTP/1.1", .targetForm), ("GET ws HTTP/1.1", .targetForm), ("GET a.example:80 HTTP/1.1", .targetForm),
      ("GET ftp://a/ HTTP/1.1", .targetForm), ("GET http:/a/ HTTP/1.1", .targetForm), ("GET http:// HTTP/1.1", .hostInvalid),
      ("GET /a#b HTTP/1.1", .fragment), ("GET http://a#b HTTP/1.1", .fragment), ("GET http://u@a/ HTTP/1.1", .hostInvalid),
      ("GET /\t HTTP/1.1", .pathCharacter), ("GET /é HTTP/1.1", .pathCharacter),
    ] as [(String, HTTPParseError)])
  func `RFC 9112 §3: a wrong request line is refused`(line: String, expected: HTTPParseError) {
    #expect(requests(in: "\(line)\r\nHost: a\r\n\r\n") == Parsed(error: expected))
  }

  @Test(
    arguments: [
      ("X: a\nY: b\r\n", .lineEnding), ("X: a\rY: b\r\n", .lineEnding), ("X: a\r\r\n", .lineEnding), ("\n", .lineEnding),
      ("X: a\u{0}b\r\n", .controlByte), ("X: a\u{7f}b\r\n", .controlByte), ("X: a\u{b}b\r\n", .controlByte),
      ("X\u{0}: a\r\n", .controlByte), ("X: a\u{1b}[0m\r\n", .controlByte),
      (" X: a\r\n", .lineFolding), ("X: a\r\n b\r\n", .lineFolding), ("X: a\r\n\tb\r\n", .lineFolding),
      ("X : a\r\n", .fieldName), ("X\t: a\r\n", .fieldName), (": a\r\n", .fieldName), ("X\r\n", .fieldName),
      ("X Y: a\r\n", .fieldName), ("X(: a\r\n", .fieldName), ("Xé: a\r\n", .fieldName), ("X@: a\r\n", .fieldName),
    ] as [(String, HTTPParseError)])
  func `RFC 9112 §2.2, §5: a wrong field line is refused`(lines: String, expected: HTTPParseError) {
    #expect(requests(in: "GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n") == Parsed(error: expected))
    #expect(requests(in: "GET / HTTP/1.1\r\n\(lines)Host: a\r\n\r\n").error == expected)
  }

  @Test func `RFC 9112 §2.2: a bare LF ends no request line`() {
    #expect(requests(in: "GET / HTTP/1.1\nHost: a\n\n").error == .lineEnding)
    #expect(requests(in: "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").error == .lineEnding)
  }

  @Test(arguments: [
    ("X:a", "a"), ("X: \t a b \t", "a b"), ("X:", ""), ("X: \t ", ""), ("X: é\u{80}ÿ", "é\u{80}ÿ"), ("X: a\tb", "a\tb"),
  ])
  func `RFC 9112 §5.1: white space around a value is dropped, its bytes are kept`(line: String, value: String) {
    let parsed = requests(in: "GET / HTTP/1.1\r\nHost: a\r\n\(line)\r\n\r\n")
    #expect(parsed.heads.first?.fields.first("x") == value)
  }

  @Test func `garbage of another protocol is refused at its first control byte`() {
    var parser = RequestHeadParser()
    #expect(throws: HTTPParseError.controlByte) { try parser.receive([0x16].span) }
  }

  @Test func `after an error the parser repeats the error`() {
    var parser = RequestHeadParser()
    #expect(throws: HTTPParseError.lineEnding) { try parser.receive(latin1("\n").span) }
    #expect(throws: HTTPParseError.lineEnding) { try parser.receive(latin1("GET / HTTP/1.1\r\nHost: a\r\n\r\n").span) }
  }
}

@Suite struct HeadLimitsTests {
  private let limits = HeadLimits(maxLineBytes: 20, maxFieldCount: 3, maxHeadBytes: 67)

  @Test func `of all bytes, controls other than a tab may stand nowhere in a line`() {
    for place in 0..<24 {
      for byte in UInt8.min ... .max {
        var value = [UInt8](repeating: UInt8(ascii: "a"), count: 24)
        value[place] = byte
        var parser = RequestHeadParser()
        let input = latin1("GET / HTTP/1.1\r\nHost: a\r\nX: -") + value + latin1("-\r\n\r\n")
        let isText = byte >= 0x20 && byte != 0x7f || byte == 0x09
        #expect(((try? parser.receive(input.span)) != nil) == isText, "\(byte) at \(place)")
      }
    }
  }

  @Test func `a line of exactly the longest length passes`() {
    #expect(requests(in: "GET /3456789 HTTP/1.1\r\nHost: a\r\n\r\n", limits: HeadLimits(maxLineBytes: 21)).heads.count == 1)
  }

  @Test func `a long request line is 414 before it has ended`() {
    let parsed = requests(in: "GET /234567890123456", limits: limits)
    #expect(parsed.error == nil)
    #expect(requests(in: "GET /2345678901234567", limits: limits).error == .requestLineTooLong)
    #expect(HTTPParseError.requestLineTooLong.status == 414)
  }

  @Test(
    arguments: [
      ("X: 45678901234567890\r\n", .none), ("X: 456789012345678901", .fieldLineTooLong),
      ("A: 1\r\nB: 2\r\n", .none), ("A: 1\r\nB: 2\r\nC: 3\r\n", .tooManyFields),
      ("A: 4567890123456789\r\nB: 4567890123456789\r\nC", .headTooLarge),
    ] as [(String, HTTPParseError?)])
  func `fields beyond a limit are 431`(lines: String, expected: HTTPParseError?) {
    let parsed = requests(in: "GET / HTTP/1.1\r\nHost: a\r\n\(lines)", limits: limits)
    #expect(parsed.error == expected)
    #expect(expected.map(\.status) ?? 431 == 431)
  }
}

@Suite struct HostTests {
  @Test(
    arguments: [
      ("GET / HTTP/1.1\r\n", .hostMissing), ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", .hostRepeated),
      ("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n", .hostRepeated), ("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n", .hostRepeated),
      ("GET / HTTP/1.1\r\nHost:\r\n", .hostInvalid), ("GET / HTTP/1.1\r\nHost: a, b\r\n", .hostInvalid),
      ("GET http://a/ HTTP/1.1\r\n", .hostMissing), ("GET http://a/ HTTP/1.1\r\nHost: b\r\n", .hostMismatch),
      ("GET http://a:81/ HTTP/1.1\r\nHost: a\r\n", .hostMismatch), ("GET https://a/ HTTP/1.1\r\nHost: a:80\r\n", .hostMismatch),
    ] as [(String, HTTPParseError)])
  func `RFC 9112 §3.2: doubt about the host is an error`(head: String, expected: HTTPParseError) {
    #expect(requests(in: head + "\r\n") == Parsed(error: expected))
  }

  @Test(
    arguments: [
      ("GET / HTTP/1.0\r\n", nil, "/"), ("GET / HTTP/1.0\r\nHost: a\r\n", "a", "/"), ("GET http://a HTTP/1.0\r\n", "a", "/"),
      ("GET HTTP://A.:80/x?y HTTP/1.1\r\nHost: a\r\n", "a", "/x?y"),
      ("GET https://a?y HTTP/1.1\r\nHost: A:443\r\n", "a:443", "/?y"),
      ("OPTIONS * HTTP/1.1\r\nHost: a\r\n", "a", "*"), ("OPTIONS http://a HTTP/1.1\r\nHost: a\r\n", "a", "*"),
      ("OPTIONS http://a/ HTTP/1.1\r\nHost: a\r\n", "a", "/"),
    ] as [(String, String?, String)])
  func `RFC 9112 §3.2: target and Host make one authority and one path`(head: String, authority: String?, target: String) {
    let parsed = requests(in: head + "\r\n").heads.first
    #expect(parsed?.authority?.description == authority)
    #expect(parsed?.target.description == target)
  }

  @Test(
    arguments: [
      ("Example.COM", "example.com", nil), ("example.com.", "example.com", nil), ("a:8080", "a", 8080), ("a:", "a", nil),
      ("a:0080", "a", 80), ("a_b-c.d", "a_b-c.d", nil), ("192.0.2.1:1", "192.0.2.1", 1), ("[::1]", "[::1]", nil),
      ("[2001:DB8:0::1]:65535", "[2001:db8::1]", 65535), ("[::FFFF:192.0.2.1]", "[::ffff:192.0.2.1]", nil),
    ] as [(String, String, UInt16?)])
  func `an authority has one normal form`(given: String, host: String, port: UInt16?) throws {
    let authority = try Authority(parsing: given)
    #expect(authority.host == host)
    #expect(authority.port == port)
    #expect(try Authority(parsing: authority.description) == authority)
  }

  @Test(
    arguments: [
      "", ".", "..", "a..", ".a", "a..b", "a b", "a/b", "a?b", "a@b", "a,b", "a%2eb", "a\\b", "é", "a:b", "a:-1", "a:+1", "a:0",
      "a:65536", "a:99999999999999999999", "a:80:80", "[::1", "::1", "[::1]a", "[::1]:x", "[]", "[1.2.3.4]", "[fe80::1%25eth0]",
      "[v1.a]", "[:::]", "a~b", "a;b", "a!b", String(repeating: "a", count: 64), String(repeating: "a.", count: 127) + "a",
    ])
  func `what is not a host with a port is refused`(given: String) {
    #expect(throws: HTTPParseError.hostInvalid) { try Authority(parsing: given) }
  }
}
