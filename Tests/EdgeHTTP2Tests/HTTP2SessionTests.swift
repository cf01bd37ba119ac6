import CNghttp2
import EdgeCore
import EdgeHTTP
import EdgeHTTP2
import EdgePolicy
import Testing

@Suite struct HTTP2SessionTests {
  // MARK: Requests and answers

  @Test func `the settings say what the edge takes`() throws {
    let pair = try TestPair()
    #expect(pair.client.setting(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1)
    #expect(pair.client.setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS) == UInt32(HTTP2Limits.maxStreams))
    #expect(pair.client.setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE) == UInt32(HTTP2Limits.streamWindowBytes))
    #expect(pair.client.setting(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE) == UInt32(HeadLimits().maxHeadBytes))
    #expect(pair.server.isGreeted)
  }

  @Test func `a request without a body is whole, and so is an answer`() throws {
    let pair = try TestPair()
    let stream = pair.client.request()
    pair.exchange()
    #expect(pair.server.events == [.head(stream, method: "GET", isWhole: true)])
    pair.server.respond(stream, status: 204, ["X-Name": "value"])
    pair.exchange()
    #expect(pair.client.fields[stream] == [[":status", "204"], ["x-name", "value"]])
    #expect(pair.client.ended == [stream])
    #expect(pair.server.events.last == .closed(stream))
  }

  @Test func `an answer comes after interim ones, in as many pieces as there are`() throws {
    let pair = try TestPair()
    let stream = pair.client.request()
    pair.exchange()
    pair.server.respond(stream, status: 103, [:], .head)
    pair.server.respond(stream, status: 200, [:], .body)
    pair.exchange()
    #expect(pair.client.fields[stream]?.map { $0[1] } == ["103", "200"])
    pair.server.bodies[stream] = (Array("first ".utf8), false)
    pair.server.bodyGoesOn(on: stream)
    pair.exchange()
    #expect(pair.client.data[stream] == Array("first ".utf8) && pair.client.ended.isEmpty)
    pair.server.bodies[stream] = (Array("last".utf8), true)
    pair.server.bodyGoesOn(on: stream)
    pair.exchange()
    #expect(pair.client.data[stream] == Array("first last".utf8) && pair.client.ended == [stream])
  }

  @Test func `a body comes in pieces, and then its end`() throws {
    let pair = try TestPair()
    let stream = pair.client.request(post, body: Array("abc".utf8))
    pair.exchange()
    #expect(
      pair.server.events == [.head(stream, method: "POST", isWhole: false), .data(stream, Array("abc".utf8)), .end(stream)])
  }

  @Test func `a request that is malformed is told, and the connection goes on`() throws {
    let pair = try TestPair()
    let bad = pair.client.request(get + [("connection", "close")])
    let good = pair.client.request()
    pair.exchange()
    #expect(pair.server.events.contains(.refused(bad, .connectionField)))
    #expect(pair.server.events.contains(.head(good, method: "GET", isWhole: true)))
    #expect(pair.client.fields[bad]?.first == [":status", "400"])
    #expect(pair.client.goAway == nil)
  }

  @Test func `bytes may come one by one`() throws {
    let server = try TestServer()
    let client = TestClient()
    let stream = client.request(post, body: Array("abc".utf8))
    var output: [UInt8] = []
    for byte in client.output() { server.receive([byte].span, now: Instant(nanoseconds: 1)) }
    server.takeOutput(into: &output, limit: .max)
    let data = server.events.reduce(into: [UInt8]()) { if case .data(_, let bytes) = $1 { $0 += bytes } }
    #expect(data == Array("abc".utf8))
    #expect(server.events.first == .head(stream, method: "POST", isWhole: false))
    #expect(server.events.last == .end(stream))
  }

  @Test func `the rest of a head is awaited from its beginning on`() throws {
    let pair = try TestPair()
    #expect(!pair.server.isReadingHead)
    pair.server.receive(frame(1, flags: 0, stream: 1, [0x82]).span, now: pair.now)
    #expect(pair.server.isReadingHead)
    pair.server.receive(frame(9, flags: 4, stream: 1, [0x87]).span, now: pair.now)
    #expect(!pair.server.isReadingHead)
  }

  // MARK: Windows

  @Test func `a stream whose bytes are not used holds itself alone`() throws {
    let pair = try TestPair()
    pair.server.consumes = false
    let slow = pair.client.request(post, body: Array(repeating: 1, count: 200_000))
    pair.exchange()
    let received = pair.server.events.reduce(0) { if case .data(slow, let bytes) = $1 { $0 + bytes.count } else { $0 } }
    #expect(received == HTTP2Limits.streamWindowBytes)
    pair.server.consumes = true
    pair.server.events = []
    let other = pair.client.request(post, body: Array(repeating: 2, count: 2_000_000))
    pair.exchange()
    #expect(pair.server.events.last == .end(other))
    pair.server.consumed(received, on: slow)
    pair.exchange()
    #expect(pair.server.events.last == .end(slow))
  }

  @Test func `all streams together hold no more than the connection's window`() throws {
    let pair = try TestPair()
    pair.server.consumes = false
    for _ in 0..<40 { _ = pair.client.request(post, body: Array(repeating: 1, count: 100_000)) }
    pair.exchange()
    let received = pair.server.events.reduce(0) { if case .data(_, let bytes) = $1 { $0 + bytes.count } else { $0 } }
    #expect(received == HTTP2Limits.connectionWindowBytes)
  }

  @Test func `no more than a window goes to a client that does not read`() throws {
    let pair = try TestPair()
    let client = TestClient(opensWindows: false)
    let server = try TestServer()
    let stream = client.request()
    server.receive(client.output().span, now: pair.now)
    server.bodies[stream] = (Array(repeating: 7, count: 1_000_000), true)
    server.respond(stream, status: 200, [:], .body)
    var output: [UInt8] = []
    server.takeOutput(into: &output, limit: .max)
    client.receive(output)
    #expect(client.data[stream]?.count == 65_535)
  }

  // MARK: The end

  @Test func `the end is announced before streams are refused`() throws {
    let pair = try TestPair()
    let first = pair.client.request()
    pair.exchange()
    pair.server.announceEnd()
    pair.exchange()
    #expect(pair.client.goAway?.last == Int32.max && pair.client.goAway?.code == 0)
    pair.server.refuseStreams()
    pair.exchange()
    #expect(pair.client.goAway?.last == first)
    pair.server.respond(first)
    pair.exchange()
    #expect(pair.client.ended == [first])
    pair.server.end(.none)
    pair.exchange()
    #expect(pair.server.isOver)
  }

  @Test func `what is no HTTP/2 ends the connection`() throws {
    let server = try TestServer()
    server.receive("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8.span, now: Instant(nanoseconds: 1))
    var output: [UInt8] = []
    server.takeOutput(into: &output, limit: .max)
    #expect(server.isOver && server.events.isEmpty)
  }

  @Test func `a frame that breaks the connection ends it after a GOAWAY`() throws {
    let pair = try TestPair()
    pair.send(raw: frame(0, stream: 0, [1]))
    #expect(pair.goAwayCode == StreamError.protocolError.rawValue)
    #expect(pair.server.isOver)
  }
}
