import EdgeCore
import EdgeHTTP
import Testing

@Suite struct ClientResponseTests {
  @Test func `a worker's answer keeps its end-to-end fields`() throws {
    let answer = try clientResponse(
      ResponseHead(
        status: 200, reason: "Fine",
        fields: [
          "Date": "d", "Server": "w", "Set-Cookie": "a", "set-cookie": "b", "Content-Length": "5", "Keep-Alive": "timeout=5",
        ]))
    let expected = "HTTP/1.1 200 Fine\r\nDate: d\r\nServer: w\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 5\r\n\r\n"
    #expect(text { answer.serialize(into: &$0) } == expected)
    #expect(answer.bodyFraming == .length(5) && answer.keepsAlive)
  }

  @Test(
    arguments: [
      "Connection: close", "Connection: X", "Keep-Alive: 1", "Proxy-Authenticate: x", "Proxy-Connection: x", "Upgrade: h2",
      "Trailer: X", "TE: x",
    ])
  func `RFC 9110 §7.6.1: what is about the worker's connection ends at the edge`(line: String) throws {
    let head = try #require(responses(in: "HTTP/1.1 200 OK\r\n\(line)\r\nX: 1\r\nContent-Length: 0\r\n\r\n").heads.first)
    let names = try clientResponse(head).head.fields.map(\.name)
    #expect(names == (line.hasSuffix("X") && line.hasPrefix("C") ? ["Content-Length"] : ["X", "Content-Length"]))
  }

  @Test(
    arguments: [
      ("HTTP/1.1", ["Transfer-Encoding": "chunked"], .chunked, "chunked", nil), ("HTTP/1.1", [:], .chunked, "chunked", nil),
      ("HTTP/1.0", ["Transfer-Encoding": "chunked"], .untilClose, nil, "close"), ("HTTP/1.0", [:], .untilClose, nil, "close"),
      ("HTTP/1.0", ["Content-Length": "5"], .length(5), nil, "keep-alive"),
      ("HTTP/1.1", ["Content-Length": "5"], .length(5), nil, nil),
    ] as [(String, HTTPFields, BodyFraming, String?, String?)])
  func `an answer without a length is chunked, or ends with an HTTP 1.0 connection`(
    version: String, fields: HTTPFields, framing: BodyFraming, coding: String?, connection: String?
  ) throws {
    let answer = try clientResponse(
      ResponseHead(status: 200, fields: fields), version: version, lines: "Connection: keep-alive\r\n")
    #expect(answer.bodyFraming == framing)
    #expect(answer.head.fields["Transfer-Encoding"] == coding)
    #expect(answer.head.fields["Connection"] == connection)
    #expect(answer.keepsAlive == (connection != "close"))
    #expect(answer.isChunked == (framing == .chunked))
  }

  @Test(
    arguments: [
      ("HEAD", 200, "5"), ("GET", 304, "5"), ("GET", 204, nil), ("HEAD", 204, nil),
    ] as [(String, Int, String?)])
  func `RFC 9110 §8.6: a length without a body is kept where it describes something`(method: String, status: Int, length: String?)
    throws
  {
    let answer = try clientResponse(ResponseHead(status: status, fields: ["Content-Length": "5"]), method: method)
    #expect(answer.bodyFraming == .none)
    #expect(answer.head.fields["Content-Length"] == length)
  }

  @Test(
    arguments: [
      ("HTTP/1.1", "", true, nil), ("HTTP/1.1", "", false, "close"), ("HTTP/1.1", "Connection: close\r\n", true, "close"),
      ("HTTP/1.0", "", true, "close"), ("HTTP/1.0", "Connection: keep-alive\r\n", false, "close"),
    ] as [(String, String, Bool, String?)])
  func `the connection goes on when client and edge both want it`(
    version: String, lines: String, keepsAlive: Bool, connection: String?
  ) throws {
    let head = ResponseHead(status: 200, fields: ["Content-Length": "0"])
    let answer = try clientResponse(head, version: version, lines: lines, keepsAlive: keepsAlive)
    #expect(answer.head.fields["Connection"] == connection)
    #expect(answer.keepsAlive == (connection == nil))
  }

  @Test func `a worker's own request identifier stays, a missing one is added`() throws {
    let named = ResponseHead(status: 200, fields: ["x-request-id": "w"])
    #expect(try clientResponse(named, requestID: "r").head.fields.all("X-Request-ID") == ["w"])
    #expect(try clientResponse(ResponseHead(status: 200), requestID: "r").head.fields.all("X-Request-ID") == ["r"])
  }

  @Test func `RFC 9110 §15.5.22: a worker's 426 keeps its Upgrade field`() throws {
    let head = ResponseHead(status: 426, fields: ["Upgrade": "websocket", "Connection": "close, Upgrade", "Content-Length": "0"])
    let fields = try clientResponse(head, keepsAlive: false).head.fields
    #expect(fields["Upgrade"] == "websocket")
    #expect(fields["Connection"] == "close, upgrade")
  }

  @Test func `RFC 9110 §15.2: interim answers go to clients of HTTP 1.1 only`() throws {
    let hints = ResponseHead(status: 103, fields: ["Link": "x", "Connection": "X", "X": "1"])
    let expected = ResponseHead(status: 103, fields: ["Link": "x"])
    #expect(ClientResponse.interim(hints, to: try request()) == expected)
    #expect(ClientResponse.interim(hints, to: try request(version: "HTTP/1.0")) == nil)
    #expect(ClientResponse.interim(ResponseHead(status: 200), to: try request()) == nil)
  }
}

@Suite struct EdgeResponseTests {
  @Test func `an answer of the edge says what is wrong to machines and to people`() {
    let answer = EdgeResponse(
      status: 503, code: "no_worker", detail: "No worker is up.", retryAfterSeconds: 2, requestID: "r-1",
      date: WallTime(seconds: 784_111_777))
    let expected = """
      HTTP/1.1 503 Service Unavailable
      Date: Sun, 06 Nov 1994 08:49:37 GMT
      Content-Type: application/problem+json
      Content-Length: 113
      Cache-Control: no-store
      X-Content-Type-Options: nosniff
      Retry-After: 2
      X-Request-ID: r-1

      {"type":"about:blank","title":"Service Unavailable","status":503,"code":"no_worker","detail":"No worker is up."}

      """
    let lines = expected.split(separator: "\n", omittingEmptySubsequences: false)
    let head = lines[...8].joined(separator: "\r\n")
    #expect(text { answer.serialize(into: &$0) } == head + "\r\n" + lines[9...].joined(separator: "\n"))
  }

  @Test func `the answer to HEAD has the length but not the body`() throws {
    let answer = EdgeResponse(status: 404, code: "no_route", detail: "Nothing is here.")
    let bytes = latin1(
      text { answer.serialize(into: &$0, answering: RequestHead(method: "HEAD", target: .asterisk, authority: nil)) })
    var parser = ResponseHeadParser()
    guard case .complete(let head, let consumed) = try parser.receive(bytes.span) else {
      Issue.record("the head is whole")
      return
    }
    #expect(consumed == bytes.count)
    #expect(head.fields["Content-Length"] == "102")
  }

  @Test(arguments: HTTPParseError.allCases)
  func `every parse error is an answer that ends the connection`(error: HTTPParseError) throws {
    let answer = text { EdgeResponse(parseError: error).serialize(into: &$0) }
    #expect(answer.hasPrefix("HTTP/1.1 \(error.status) "))
    #expect(answer.contains("Connection: close\r\n"))
    #expect(answer.contains(#""status":\#(error.status),"code":"\#(error.code)""#))
    #expect([400, 408, 413, 414, 431, 501, 505].contains(error.status))
  }

  @Test func `every parse error has its own word`() {
    #expect(Set(HTTPParseError.allCases.map(\.code)).count == HTTPParseError.allCases.count)
  }

  @Test func `RFC 6455 §4.4: 426 names the version that would do`() {
    let answer = text { EdgeResponse.upgradeRequired(code: "version", detail: "d").serialize(into: &$0) }
    #expect(answer.contains("Upgrade: websocket\r\n"))
    #expect(answer.contains("Sec-WebSocket-Version: 13\r\n"))
    #expect(answer.contains("Connection: upgrade\r\n"))
  }

  @Test func `a client that asked for the end of its connection hears that it ends`() throws {
    let answer = EdgeResponse(status: 404, code: "no_route", detail: "d")
    let closing = try request(lines: "Connection: close\r\n")
    #expect(text { answer.serialize(into: &$0, answering: closing) }.contains("Connection: close\r\n"))
  }

  @Test func `a client of HTTP 1.0 hears that its connection goes on`() throws {
    let answer = EdgeResponse(status: 200, code: "ok", detail: "d")
    let old = try request(version: "HTTP/1.0", lines: "Connection: keep-alive\r\n")
    #expect(text { answer.serialize(into: &$0, answering: old) }.contains("Connection: keep-alive\r\n"))
    #expect(!text { answer.serialize(into: &$0, answering: try? request()) }.contains("Connection"))
  }
}

@Suite struct HTTPDateTests {
  @Test(
    arguments: [
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
      (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (951_868_799, "Tue, 29 Feb 2000 23:59:59 GMT"),
      (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
      (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
      (1_798_761_599, "Thu, 31 Dec 2026 23:59:59 GMT"), (.max, "Fri, 11 Apr 2262 23:47:16 GMT"),
    ] as [(Int64, String)])
  func `RFC 9110 §5.6.7: a date is written in the preferred form`(seconds: Int64, expected: String) {
    #expect(HTTPDate.text(WallTime(seconds: seconds)) == expected)
  }
}

private func request(method: String = "GET", version: String = "HTTP/1.1", lines: String = "") throws -> RequestHead {
  try #require(requests(in: "\(method) / \(version)\r\nHost: a\r\n\(lines)\r\n").heads.first)
}

private func clientResponse(
  _ head: ResponseHead, method: String = "GET", version: String = "HTTP/1.1", lines: String = "", keepsAlive: Bool = true,
  requestID: String? = nil
) throws -> ClientResponse {
  ClientResponse(
    head, framing: try head.bodyFraming(requestMethod: method),
    to: try request(method: method, version: version, lines: lines), keepsAlive: keepsAlive, requestID: requestID)
}
