import EdgeHTTP
import EdgeWebSocket
import Testing

/// The request of RFC 6455 §1.3 as a parser gives it, changed by `edit`.
private func request(_ method: String = "GET", version: String = "HTTP/1.1", _ edit: (inout HTTPFields) -> Void = { _ in }) throws
  -> RequestHead
{
  var fields: HTTPFields = [
    "Host": "server.example.com", "Upgrade": "websocket", "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": "http://example.com",
    "Sec-WebSocket-Protocol": "chat, superchat", "Sec-WebSocket-Version": "13",
  ]
  edit(&fields)
  var bytes = utf8("\(method) /chat \(version)\r\n")
  for field in fields { bytes += utf8("\(field.name): \(field.value)\r\n") }
  var parser = RequestHeadParser()
  guard case .complete(let head, consumed: _) = try parser.receive((bytes + utf8("\r\n")).span) else {
    throw Incomplete()
  }
  return head
}

private struct Incomplete: Error {}

/// A client's field set wrong, and what is said of it.
struct WrongField: CustomTestStringConvertible, Sendable {
  let name: String
  let values: [String]
  let error: OpeningError
  var testDescription: String { "\(name): \(values)" }

  init(_ name: String, _ values: [String], _ error: OpeningError) {
    (self.name, self.values, self.error) = (name, values, error)
  }
}

private let wrongFields = [
  WrongField("Connection", [], .connectionNotUpgrade),
  WrongField("Connection", ["keep-alive"], .connectionNotUpgrade),
  WrongField("Connection", ["upgraded"], .connectionNotUpgrade),
  WrongField("Content-Length", ["1"], .bodyAnnounced),
  WrongField("Transfer-Encoding", ["chunked"], .bodyAnnounced),
  WrongField("Sec-WebSocket-Version", [], .versionUnsupported),
  WrongField("Sec-WebSocket-Version", ["8"], .versionUnsupported),
  WrongField("Sec-WebSocket-Version", ["013"], .versionUnsupported),
  WrongField("Sec-WebSocket-Version", ["13, 8"], .versionUnsupported),
  WrongField("Sec-WebSocket-Version", ["13", "13"], .versionUnsupported),
  WrongField("Sec-WebSocket-Key", [], .keyInvalid),
  WrongField("Sec-WebSocket-Key", [""], .keyInvalid),
  WrongField("Sec-WebSocket-Key", ["dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="], .keyInvalid),
  WrongField("Sec-WebSocket-Key", ["dGhlIHNhbXBsZSBub25jZQ"], .keyInvalid),
  WrongField("Sec-WebSocket-Key", ["dGhlIHNhbXBsZSBub25jZR=="], .keyInvalid),
  WrongField("Sec-WebSocket-Key", ["dGhlIHNhbXBsZSBub25jZQ=A"], .keyInvalid),
  WrongField("Sec-WebSocket-Key", ["dGhlIHNhbXBsZSBub25jZS4="], .keyInvalid),
  WrongField("Sec-WebSocket-Key", ["dGhlIHNhbXBsZSBub25jZS4u"], .keyInvalid),
  WrongField("Sec-WebSocket-Key", ["dGhlIHNhbXBsZSBub25jZ-=="], .keyInvalid),
  WrongField("Sec-WebSocket-Key", ["========================"], .keyInvalid),
  WrongField("Sec-WebSocket-Key", ["dGhlIHNhbXBsZSBub25j"], .keyInvalid),
  WrongField("Sec-WebSocket-Protocol", [""], .subprotocolsInvalid),
  WrongField("Sec-WebSocket-Protocol", ["chat, chat"], .subprotocolsInvalid),
  WrongField("Sec-WebSocket-Protocol", ["chat", "superchat, chat"], .subprotocolsInvalid),
  WrongField("Sec-WebSocket-Protocol", ["chat room"], .subprotocolsInvalid),
  WrongField("Sec-WebSocket-Protocol", ["\"chat\""], .subprotocolsInvalid),
  WrongField("Sec-WebSocket-Protocol", ["ch\u{E4}t"], .subprotocolsInvalid),
]

@Suite struct `A client's opening handshake (RFC 6455 §4_2_1)` {
  @Test func `of §1_3 is in order`() throws {
    let head = try request()
    #expect(OpeningRequest.isAttempt(head))
    let opening = try OpeningRequest(checking: head)
    #expect(opening.key?.text == "dGhlIHNhbXBsZSBub25jZQ==")
    #expect(opening.subprotocols == ["chat", "superchat"])
  }

  @Test(arguments: wrongFields)
  func `is refused for a wrong field`(_ wrong: WrongField) throws {
    var head = try request()
    if wrong.name == "Content-Length" || wrong.name == "Transfer-Encoding" {
      head = try request { $0.add(wrong.name, wrong.values[0]) }
    } else {
      head.fields.remove(wrong.name)
      for value in wrong.values { head.fields.add(wrong.name, value) }
    }
    #expect(throws: wrong.error) { try OpeningRequest(checking: head) }
  }

  @Test func `is refused for its method and version`() throws {
    #expect(throws: OpeningError.methodNotGet) { try OpeningRequest(checking: request("POST")) }
    #expect(throws: OpeningError.versionNotHTTP11) { try OpeningRequest(checking: request(version: "HTTP/1.0")) }
  }

  @Test func `may spell tokens in any case and offer anything besides`() throws {
    let head = try request {
      $0.set("Upgrade", "WebSocket")
      $0.set("Connection", "keep-alive, UPGRADE")
      $0.set("Content-Length", "0")
      $0.add("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")
      $0.add("Sec-WebSocket-Protocol", "third")
    }
    #expect(try OpeningRequest(checking: head).subprotocols == ["chat", "superchat", "third"])
  }

  @Test func `may offer no subprotocol`() throws {
    let head = try request { $0.remove("Sec-WebSocket-Protocol") }
    #expect(try OpeningRequest(checking: head).subprotocols == [])
  }

  @Test(arguments: [[], ["h2c"], ["websocket, h2c"], ["websocket", "websocket"], ["websocket/13"], [""]])
  func `is no attempt unless it asks for exactly websocket`(_ values: [String]) throws {
    var head = try request()
    head.fields.remove("Upgrade")
    for value in values { head.fields.add("Upgrade", value) }
    #expect(!OpeningRequest.isAttempt(head))
    #expect(throws: OpeningError.notUpgrade) { try OpeningRequest(checking: head) }
  }

  @Test func `is told what to send instead`() {
    #expect(OpeningError.versionUnsupported.status == 426)
    #expect(OpeningError.versionUnsupported.responseFields["Sec-WebSocket-Version"] == "13")
    #expect(OpeningError.methodNotGet.status == 405)
    #expect(OpeningError.methodNotGet.responseFields["Allow"] == "GET")
    #expect(OpeningError.keyInvalid.status == 400)
  }
}

@Suite struct `The 101 to a client (RFC 6455 §4_2_2)` {
  @Test func `proves that the key of §1_3 was read`() throws {
    let opening = try OpeningRequest(checking: request())
    let head = opening.acceptance(subprotocol: "chat", sha1: sampleSHA1)
    var bytes: [UInt8] = []
    head.serialize(into: &bytes)
    #expect(
      bytes
        == utf8(
          """
          HTTP/1.1 101 Switching Protocols\r
          Upgrade: websocket\r
          Connection: Upgrade\r
          Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r
          Sec-WebSocket-Protocol: chat\r
          \r\n
          """))
  }

  @Test func `bears the worker's fields for the client, and no other`() throws {
    let workerFields: HTTPFields = [
      "Upgrade": "websocket", "Connection": "Upgrade, X-Hop", "X-Hop": "1", "Keep-Alive": "5", "Content-Length": "0",
      "Transfer-Encoding": "chunked", "Sec-WebSocket-Accept": "the edge's", "sec-websocket-protocol": "superchat",
      "Sec-WebSocket-Extensions": "x", "Set-Cookie": "a=1", "set-cookie": "b=2", "Server": "worker",
    ]
    let opening = try OpeningRequest(checking: request())
    let head = opening.acceptance(subprotocol: nil, workerFields: workerFields, sha1: sampleSHA1)
    #expect(head.fields.map(\.name) == ["Upgrade", "Connection", "Sec-WebSocket-Accept", "Set-Cookie", "set-cookie", "Server"])
    #expect(head.fields.all("Sec-WebSocket-Accept") == ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="])
  }
}

/// SHA-1 of the one input of RFC 6455 §1.3, as given there; of any other, something else.
func sampleSHA1(_ input: [UInt8]) -> [UInt8] {
  guard input == utf8("dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11") else {
    return [UInt8](repeating: 0, count: 20)
  }
  return [
    0xb3, 0x7a, 0x4f, 0x2c, 0xc0, 0x62, 0x4f, 0x16, 0x90, 0xf6, 0x46, 0x06, 0xcf, 0x38, 0x59, 0x45, 0xb2, 0xbe, 0xc4, 0xea,
  ]
}

@Suite struct StreamOpeningTests {
  private func connect(_ fields: HTTPFields, framing: BodyFraming = .none) throws -> RequestHead {
    RequestHead(
      method: "CONNECT", target: try RequestTarget(parsing: "/ws"), version: .http2, authority: try Authority(parsing: "a"),
      fields: fields, bodyFraming: framing)
  }

  @Test func `a CONNECT of HTTP/2 needs no key, and its answer has no proof`() throws {
    let head = try connect(["sec-websocket-version": "13", "sec-websocket-protocol": "chat"])
    #expect(OpeningRequest.isAttempt(head))
    let opening = try OpeningRequest(checking: head)
    #expect(opening.key == nil && opening.subprotocols == ["chat"])
    let answer = opening.acceptance(
      subprotocol: "chat", workerFields: ["Set-Cookie": "a=1", "Sec-WebSocket-Accept": "x", "Upgrade": "websocket"]
    ) { _ in Array(repeating: 0, count: 20) }
    #expect(answer.status == 200)
    #expect(answer.fields == ["Sec-WebSocket-Protocol": "chat", "Set-Cookie": "a=1"])
  }

  @Test func `its version is 13, and it has no body`() throws {
    #expect(throws: OpeningError.versionUnsupported) { try OpeningRequest(checking: connect([:])) }
    #expect(throws: OpeningError.versionUnsupported) { try OpeningRequest(checking: connect(["sec-websocket-version": "8"])) }
    #expect(throws: OpeningError.bodyAnnounced) {
      try OpeningRequest(checking: connect(["sec-websocket-version": "13"], framing: .length(3)))
    }
  }

  @Test func `no other request of HTTP/2 is an attempt`() throws {
    let head = RequestHead(
      method: "GET", target: try RequestTarget(parsing: "/ws"), version: .http2, authority: nil,
      fields: ["Upgrade": "websocket", "Connection": "Upgrade"])
    #expect(!OpeningRequest.isAttempt(head))
  }
}
