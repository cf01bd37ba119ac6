import EdgeHTTP
import Testing

@Suite struct BodyFramingTests {
  @Test(
    arguments: [
      ("", .none), ("Content-Length: 0\r\n", .length(0)), ("Content-Length: 42\r\n", .length(42)),
      ("content-length:  007 \r\n", .length(7)), ("Transfer-Encoding: chunked\r\n", .chunked),
      ("TRANSFER-ENCODING: Chunked\r\n", .chunked),
    ] as [(String, BodyFraming)])
  func `RFC 9112 §6: a body is delimited in one way`(lines: String, framing: BodyFraming) {
    #expect(requests(in: "POST / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n").heads.first?.bodyFraming == framing)
  }

  @Test(
    arguments: [
      ("Content-Length: 5\r\nContent-Length: 5\r\n", .contentLengthRepeated),
      ("Content-Length: 5\r\nContent-Length: 6\r\n", .contentLengthRepeated),
      ("Content-Length: 5, 5\r\n", .contentLengthInvalid), ("Content-Length: +5\r\n", .contentLengthInvalid),
      ("Content-Length: -1\r\n", .contentLengthInvalid), ("Content-Length: 0x5\r\n", .contentLengthInvalid),
      ("Content-Length: 5 5\r\n", .contentLengthInvalid), ("Content-Length:\r\n", .contentLengthInvalid),
      ("Content-Length: 5;\r\n", .contentLengthInvalid), ("Content-Length: ²\r\n", .contentLengthInvalid),
      ("Content-Length: 1e3\r\n", .contentLengthInvalid), ("Content-Length: 1_0\r\n", .contentLengthInvalid),
      ("Content-Length: 18446744073709551621\r\n", .contentTooLarge),
      ("Content-Length: 9223372036854775808\r\n", .contentTooLarge),
      ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", .contentLengthWithTransferEncoding),
      ("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", .contentLengthWithTransferEncoding),
      ("Transfer-Encoding: identity\r\nContent-Length: 5\r\n", .contentLengthWithTransferEncoding),
      ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", .transferEncodingInvalid),
      ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", .transferEncodingInvalid),
      ("Transfer-Encoding:\r\n", .transferEncodingInvalid),
      ("Transfer-Encoding: gzip, chunked\r\n", .transferEncodingNotImplemented),
      ("Transfer-Encoding: chunked, chunked\r\n", .transferEncodingNotImplemented),
      ("Transfer-Encoding: chunked, identity\r\n", .transferEncodingNotImplemented),
      ("Transfer-Encoding: ,chunked\r\n", .transferEncodingNotImplemented),
      ("Transfer-Encoding: xchunked\r\n", .transferEncodingNotImplemented),
      ("Transfer-Encoding: \"chunked\"\r\n", .transferEncodingNotImplemented),
      ("Transfer-Encoding: chunked;a=b\r\n", .transferEncodingNotImplemented),
      ("Transfer-Encoding: chun\u{a0}ked\r\n", .transferEncodingNotImplemented),
      ("Transfer-Encoding : chunked\r\n", .fieldName), ("Transfer-Encoding\t: chunked\r\n", .fieldName),
      ("Transfer-Encoding:\u{b}chunked\r\n", .controlByte), ("X: y\rTransfer-Encoding: chunked\r\n", .lineEnding),
      ("Transfer-Encoding:\r\n chunked\r\n", .lineFolding), ("X: y\nTransfer-Encoding: chunked\r\n", .lineEnding),
    ] as [(String, HTTPParseError)])
  func `RFC 9112 §11.2: what two servers could frame differently is refused`(lines: String, expected: HTTPParseError) {
    #expect(requests(in: "POST / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n") == Parsed(error: expected))
  }

  @Test func `RFC 9112 §6.1: HTTP 1.0 has no transfer codings`() {
    #expect(requests(in: "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").error == .transferEncodingInvalid)
  }

  @Test(
    arguments: [
      ("GET", 200, [:], .untilClose), ("GET", 200, ["Content-Length": "5"], .length(5)),
      ("GET", 200, ["Transfer-Encoding": "chunked"], .chunked), ("HEAD", 200, ["Content-Length": "5"], .none),
      ("HEAD", 200, ["Transfer-Encoding": "chunked"], .none), ("GET", 304, ["Content-Length": "5"], .none),
      ("GET", 204, ["Content-Length": "5"], .none), ("GET", 100, [:], .none), ("GET", 101, [:], .none),
      ("GET", 205, [:], .untilClose),
    ] as [(String, Int, HTTPFields, BodyFraming)])
  func `RFC 9112 §6.3: an answer's body depends on the request and the status`(
    method: String, status: Int, fields: HTTPFields, framing: BodyFraming
  ) throws {
    #expect(try ResponseHead(status: status, fields: fields).bodyFraming(requestMethod: method) == framing)
  }

  @Test(
    arguments: [
      ("HTTP/1.1", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", .contentLengthWithTransferEncoding),
      ("HTTP/1.1", "Content-Length: 5\r\nContent-Length: 5\r\n", .contentLengthRepeated),
      ("HTTP/1.1", "Transfer-Encoding: gzip\r\n", .transferEncodingNotImplemented),
      ("HTTP/1.0", "Transfer-Encoding: chunked\r\n", .transferEncodingInvalid),
    ] as [(String, String, HTTPParseError)])
  func `RFC 9112 §6.3: a worker's doubtful framing is an error, even where there is no body`(
    version: String, lines: String, expected: HTTPParseError
  ) throws {
    let head = try #require(responses(in: "\(version) 200 OK\r\n\(lines)\r\n").heads.first)
    #expect(throws: expected) { try head.bodyFraming(requestMethod: "GET") }
    #expect(throws: expected) { try head.bodyFraming(requestMethod: "HEAD") }
  }
}
