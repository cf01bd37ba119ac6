import EdgeHTTP
import EdgeWebSocket
import Testing

private let handshake = WorkerHandshake(
  key: HandshakeKey(randomBytes: utf8("the sample nonce")), subprotocols: ["chat", "superchat"])

private let goodAnswer: HTTPFields = [
  "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
]

/// A worker's field set wrong, and what is said of it.
struct WrongAnswer: CustomTestStringConvertible, Sendable {
  let name: String
  let values: [String]
  let error: WorkerHandshakeError
  var testDescription: String { "\(name): \(values)" }

  init(_ name: String, _ values: [String], _ error: WorkerHandshakeError) {
    (self.name, self.values, self.error) = (name, values, error)
  }
}

private let wrongAnswers = [
  WrongAnswer("Upgrade", [], .upgradeNotWebSocket),
  WrongAnswer("Upgrade", ["h2c"], .upgradeNotWebSocket),
  WrongAnswer("Upgrade", ["websocket", "websocket"], .upgradeNotWebSocket),
  WrongAnswer("Connection", [], .connectionNotUpgrade),
  WrongAnswer("Connection", ["close"], .connectionNotUpgrade),
  WrongAnswer("Sec-WebSocket-Accept", [], .acceptWrong),
  WrongAnswer("Sec-WebSocket-Accept", ["S3pPLMBiTxaQ9kYGzzhZRbK+xOo="], .acceptWrong),
  WrongAnswer("Sec-WebSocket-Accept", ["dGhlIHNhbXBsZSBub25jZQ=="], .acceptWrong),
  WrongAnswer(
    "Sec-WebSocket-Accept", ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="], .acceptWrong),
  WrongAnswer("Sec-WebSocket-Extensions", ["permessage-deflate"], .extensionNotOffered),
  WrongAnswer("Sec-WebSocket-Protocol", ["other"], .subprotocolNotOffered),
  WrongAnswer("Sec-WebSocket-Protocol", ["Chat"], .subprotocolNotOffered),
  WrongAnswer("Sec-WebSocket-Protocol", ["chat, superchat"], .subprotocolNotOffered),
  WrongAnswer("Sec-WebSocket-Protocol", ["chat", "chat"], .subprotocolNotOffered),
  WrongAnswer("Sec-WebSocket-Protocol", [""], .subprotocolNotOffered),
]

@Suite struct `The handshake with a worker (RFC 6455 §4_1)` {
  @Test func `bears a key of the edge's, offers subprotocols in order, and never an extension`() {
    let expected: HTTPFields = [
      "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": "chat, superchat",
    ]
    #expect(handshake.fields == expected)
  }

  @Test func `offers no subprotocol where there is none`() {
    #expect(!WorkerHandshake(key: handshake.key, subprotocols: []).fields.contains("Sec-WebSocket-Protocol"))
  }

  @Test(arguments: [nil, "chat", "superchat"])
  func `takes a right answer`(_ subprotocol: String?) throws {
    var fields = goodAnswer
    if let subprotocol { fields.add("Sec-WebSocket-Protocol", subprotocol) }
    let head = ResponseHead(status: 101, fields: fields)
    #expect(try handshake.check(head, sha1: sampleSHA1) == subprotocol)
  }

  @Test(arguments: wrongAnswers)
  func `refuses a wrong answer`(_ wrong: WrongAnswer) {
    var fields = goodAnswer
    fields.remove(wrong.name)
    for value in wrong.values { fields.add(wrong.name, value) }
    let head = ResponseHead(status: 101, fields: fields)
    #expect(throws: wrong.error) { try handshake.check(head, sha1: sampleSHA1) }
  }

  @Test func `refuses HTTP/1_0`() {
    let head = ResponseHead(status: 101, version: .http10, fields: goodAnswer)
    #expect(throws: WorkerHandshakeError.versionNotHTTP11) { try handshake.check(head, sha1: sampleSHA1) }
  }
}

@Suite struct `A handshake key` {
  @Test func `of the edge's is one that it would take itself`() {
    var random = SplitMix64(state: 3)
    for _ in 0..<500 {
      let key = HandshakeKey(randomBytes: random.bytes(16))
      #expect(HandshakeKey(key.text) == key)
    }
  }

  @Test func `uses the whole alphabet`() {
    #expect(HandshakeKey(randomBytes: [UInt8](repeating: 0xFF, count: 16)).text == "/////////////////////w==")
    #expect(HandshakeKey(randomBytes: [UInt8](repeating: 0xFB, count: 16)).text == "+/v7+/v7+/v7+/v7+/v7+w==")
    #expect(HandshakeKey(randomBytes: [UInt8](repeating: 0, count: 16)).text == "AAAAAAAAAAAAAAAAAAAAAA==")
    #expect(HandshakeKey(random: (.max, .max)).text == "/////////////////////w==")
    #expect(HandshakeKey(random: (0, .max)) != HandshakeKey(random: (.max, 0)))
  }
}
