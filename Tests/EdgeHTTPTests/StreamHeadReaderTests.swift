import EdgeHTTP
import Testing

private typealias Fields = [(String, String)]

private let get: Fields = [(":method", "GET"), (":scheme", "https"), (":authority", "chat.example.com"), (":path", "/ws?a=1")]
private let websocket: Fields = [
  (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":authority", "chat.example.com"), (":path", "/ws"),
]

private func head(_ fields: Fields, isEnded: Bool = true, limits: HeadLimits = HeadLimits()) throws -> RequestHead {
  var reader = StreamHeadReader(limits: limits)
  for (name, value) in fields {
    // One byte for each scalar, as on the wire.
    let bytes = value.unicodeScalars.map { UInt8($0.value) }
    reader.receive(name: Array(name.utf8).span, value: bytes.span)
  }
  return try reader.finish(isEnded: isEnded)
}

private func without(_ name: String, _ fields: Fields) -> Fields { fields.filter { $0.0 != name } }
private func with(_ name: String, _ value: String, _ fields: Fields) -> Fields {
  fields.map { $0.0 == name ? (name, value) : $0 }
}

@Suite struct StreamHeadReaderTests {
  @Test func `a request has the head that it would have had in HTTP/1.1`() throws {
    let read = try head(get + [("accept", "*/*"), ("x-empty", "")])
    #expect(read.method == "GET")
    #expect(read.target == (try RequestTarget(parsing: "/ws?a=1")))
    #expect(read.version == .http2)
    #expect(read.authority == (try Authority(parsing: "chat.example.com")))
    #expect(read.fields == ["accept": "*/*", "x-empty": ""])
    #expect(read.bodyFraming == .none)
    #expect(read.wantsKeepAlive)
  }

  @Test func `crumbs of a cookie without text are none`() throws {
    let crumbs = ["", "a=1", "", "b=2", ""].map { ("cookie", $0) }
    #expect(try head(get + crumbs).fields["cookie"] == "a=1; b=2")
    #expect(try head(get + [("cookie", "")]).fields["cookie"] == nil)
  }

  @Test func `crumbs of a cookie become one field again`() throws {
    let read = try head(get + [("cookie", "a=1"), ("accept", "*/*"), ("cookie", "b=2"), ("cookie", "c=3")])
    #expect(read.fields.all("Cookie") == ["a=1; b=2; c=3"])
  }

  @Test func `the authority may stand in a Host field alone, or in both if they agree`() throws {
    let host = without(":authority", get) + [("host", "chat.example.com")]
    #expect(try head(host).host == "chat.example.com")
    #expect(try head(get + [("host", "CHAT.example.com:443")]).host == "chat.example.com")
  }

  @Test func `the server as a whole is a target of OPTIONS`() throws {
    #expect(try head(with(":path", "*", with(":method", "OPTIONS", get))).target == .asterisk)
  }

  @Test(
    arguments: [
      (without(":method", get), .pseudoField), (without(":scheme", get), .pseudoField), (without(":path", get), .pseudoField),
      (without(":authority", get), .hostMissing), (get + [(":method", "GET")], .pseudoField),
      (get + [("a", "b"), (":path", "/")], .pseudoField), (get + [(":status", "200")], .pseudoField),
      (get + [(":x", "")], .pseudoField), (get + [(":protocol", "websocket")], .pseudoField), (get + [(":", "")], .pseudoField),
      (without(":method", get) + [("a", "b"), (":method", "GET")], .pseudoField),
      (with(":scheme", "ftp", get), .schemeInvalid), (with(":scheme", "", get), .schemeInvalid),
      (with(":path", "", get), .targetForm), (with(":path", "*", get), .targetForm), (with(":path", "ws", get), .targetForm),
      (with(":path", "https://x/", get), .targetForm), (with(":path", "/a/../b", get), .pathDotSegment),
      (with(":path", "/a//b", get), .pathEmptySegment), (with(":path", "/a;b", get), .pathParameter),
      (with(":path", "/a#b", get), .fragment), (with(":path", "/a%2fb", get), .pathEncodedSeparator),
      (with(":authority", "", get), .hostInvalid), (with(":authority", "user@host", get), .hostInvalid),
      (get + [("host", "other.example.com")], .hostMismatch), (get + [("host", "chat.example.com:444")], .hostMismatch),
      (get + [("host", "chat.example.com"), ("host", "chat.example.com")], .hostRepeated),
      (with(":method", "", get), .method), (with(":method", "G T", get), .method),
      (with(":method", "TRACE", get), .methodNotImplemented),
      (with(":method", String(repeating: "A", count: 33), get), .methodNotImplemented),
    ] as [(Fields, HTTPParseError)])
  fileprivate func `what stands for the request line is complete, known and in front`(fields: Fields, expected: HTTPParseError) {
    #expect(throws: expected) { try head(fields) }
  }

  @Test(
    arguments: [
      ("Accept", "*/*", .fieldNameCase), ("", "a", .fieldName), ("a b", "c", .fieldName), ("a:", "c", .fieldName),
      ("a\r", "c", .fieldName), ("connection", "close", .connectionField), ("keep-alive", "1", .connectionField),
      ("proxy-connection", "close", .connectionField), ("upgrade", "websocket", .connectionField),
      ("transfer-encoding", "chunked", .connectionField), ("te", "gzip", .connectionField),
      ("te", "trailers, gzip", .connectionField), ("a", " b", .fieldValueSpace), ("a", "b\t", .fieldValueSpace),
      ("a", " ", .fieldValueSpace), ("a", "b\r\nc: d", .controlByte), ("a", "b\u{0}", .controlByte), ("a", "b\n", .controlByte),
      ("a", "\u{7f}", .controlByte), ("content-length", "x", .contentLengthInvalid),
    ] as [(String, String, HTTPParseError)])
  func `a field that HTTP/1.1 could take for something else is refused`(name: String, value: String, expected: HTTPParseError) {
    #expect(throws: expected) { try head(get + [(name, value)]) }
  }

  @Test(arguments: [("te", "trailers"), ("te", "Trailers"), ("a", "b c"), ("a", "\u{e9}"), ("a", "b\tc")])
  func `what RFC 9113 allows is taken`(name: String, value: String) throws {
    #expect(try head(get + [(name, value)]).fields[name] == value)
  }

  @Test func `a body ends with its stream, after as much as was announced`() throws {
    #expect(try head(get, isEnded: false).bodyFraming == .untilClose)
    #expect(try head(get + [("content-length", "5")], isEnded: false).bodyFraming == .length(5))
    #expect(try head(get + [("content-length", "0")], isEnded: true).bodyFraming == .length(0))
    #expect(throws: HTTPParseError.contentLengthMismatch) { try head(get + [("content-length", "5")], isEnded: true) }
    #expect(throws: HTTPParseError.contentLengthRepeated) {
      try head(get + [("content-length", "5"), ("content-length", "5")], isEnded: false)
    }
  }

  @Test func `a WebSocket's request is the only CONNECT`() throws {
    let read = try head(websocket, isEnded: false)
    #expect(read.method == "CONNECT" && read.bodyFraming == .none)
    #expect(try head(websocket + [("content-length", "0")], isEnded: false).bodyFraming == .none)
    #expect(throws: HTTPParseError.methodNotImplemented) {
      try head([(":method", "CONNECT"), (":authority", "a:1")], isEnded: false)
    }
    #expect(throws: HTTPParseError.protocolNotImplemented) {
      try head(with(":protocol", "connect-udp", websocket), isEnded: false)
    }
    #expect(throws: HTTPParseError.truncated) { try head(websocket, isEnded: true) }
    #expect(throws: HTTPParseError.hostMissing) { try head(without(":authority", websocket) + [("host", "a")], isEnded: false) }
    #expect(throws: HTTPParseError.pseudoField) { try head(without(":path", websocket), isEnded: false) }
  }

  @Test func `a head is no larger than its limits, as the sender counts it`() throws {
    let limits = HeadLimits(maxLineBytes: 100, maxFieldCount: 3, maxHeadBytes: 400)
    #expect(throws: HTTPParseError.requestLineTooLong) {
      try head(with(":path", "/" + String(repeating: "a", count: 100), get), limits: limits)
    }
    #expect(throws: HTTPParseError.fieldLineTooLong) {
      try head(get + [("a", String(repeating: "b", count: 98))], limits: limits)
    }
    #expect(throws: HTTPParseError.tooManyFields) {
      try head(get + [("a", ""), ("b", ""), ("c", ""), ("d", "")], limits: limits)
    }
    // Four pseudo-header fields take 4 * 32 + 64 bytes; each crumb takes 41.
    let crumbs = Array(repeating: ("cookie", "a=1"), count: 5)
    #expect(try head(get + crumbs, limits: limits).fields["cookie"]?.count == 5 * 5 - 2)
    #expect(throws: HTTPParseError.headTooLarge) { try head(get + crumbs + [("cookie", "a=1")], limits: limits) }
  }

  @Test func `a joined cookie is no longer than a line`() {
    let limits = HeadLimits(maxLineBytes: 100)
    let crumbs = Array(repeating: ("cookie", "a=1"), count: 20)
    #expect(throws: HTTPParseError.fieldLineTooLong) { try head(get + crumbs, limits: limits) }
  }

  @Test func `fields behind a body are held to the same rules, and have no pseudo-header`() throws {
    var reader = StreamHeadReader()
    reader.receive(name: "grpc-status".utf8.span, value: "0".utf8.span)
    try reader.finishTrailers()
    reader = StreamHeadReader()
    reader.receive(name: ":path".utf8.span, value: "/".utf8.span)
    #expect(throws: HTTPParseError.pseudoField) { try reader.finishTrailers() }
    reader = StreamHeadReader()
    reader.receive(name: "connection".utf8.span, value: "close".utf8.span)
    #expect(throws: HTTPParseError.connectionField) { try reader.finishTrailers() }
  }

  @Test func `any bytes are refused or become a head that can be written as HTTP/1.1`() throws {
    var random = SystemRandomNumberGenerator()
    let names = [":path", ":method", ":authority", "host", "cookie", "a", "te", "content-length", ":scheme"]
    for _ in 0..<2000 {
      var fields = get
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let bytes = (0..<Int.random(in: 0...6, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        let value = String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
        fields = with(names.randomElement(using: &random)!, value, fields) + [("x", value)]
      }
      guard let read = try? head(fields, isEnded: Bool.random(using: &random)) else { continue }
      var written: [UInt8] = []
      read.serialize(into: &written)
      let lines = String(decoding: written, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
      #expect(lines.count == read.fields.count + 3, "\(fields)")
    }
  }
}

@Suite struct StreamFieldsTests {
  @Test func `an answer's names are in lower case, and nothing is about the connection`() {
    let fields = StreamFields(
      ResponseHead(
        status: 426,
        fields: [
          "Content-Type": "text/plain", "Connection": "close", "Upgrade": "websocket", "Transfer-Encoding": "chunked",
          "Keep-Alive": "1", "Set-Cookie": "a=\u{e9}", "Content-Length": "3",
        ]))
    var offset = 0
    let read = fields.lengths.map { lengths in
      let name = fields.bytes[offset..<offset + lengths.name]
      let value = fields.bytes[(offset + lengths.name)..<(offset + lengths.name + lengths.value)]
      offset += lengths.name + lengths.value
      return (String(decoding: name, as: UTF8.self), Array(value))
    }
    #expect(read.map(\.0) == [":status", "content-type", "set-cookie", "content-length"])
    #expect(read.map(\.1) == [Array("426".utf8), Array("text/plain".utf8), [0x61, 0x3d, 0xe9], Array("3".utf8)])
    #expect(offset == fields.bytes.count)
  }
}

@Suite struct AnnouncedLengthTests {
  @Test func `a body is exactly as long as announced`() throws {
    var length = AnnouncedLength(.length(5))
    try length.received(3)
    #expect(throws: HTTPParseError.contentLengthMismatch) { try length.ended() }
    try length.received(2)
    try length.ended()
    #expect(throws: HTTPParseError.contentLengthMismatch) { try length.received(1) }
  }

  @Test func `one that was not announced is as long as it is`() throws {
    var length = AnnouncedLength(.untilClose)
    try length.received(1_000_000)
    try length.ended()
  }
}

@Suite struct ClientPrefaceTests {
  private static let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

  @Test func `the preface is found once it is whole`() {
    for count in 0..<Self.preface.utf8.count {
      #expect(ClientPreface.match(Array(Self.preface.utf8.prefix(count)).span) == .part)
    }
    #expect(ClientPreface.match(Self.preface.utf8.span) == .whole)
    #expect(ClientPreface.match((Self.preface + "more").utf8.span) == .whole)
  }

  @Test(arguments: ["GET / HTTP/1.1\r\n", "PRI / HTTP/2.0", "P0", "\u{16}\u{3}"])
  func `no request begins like it`(bytes: String) {
    #expect(ClientPreface.match(bytes.utf8.span) == .none)
  }
}
