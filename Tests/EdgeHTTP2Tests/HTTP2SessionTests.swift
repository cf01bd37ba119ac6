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

  // MARK: Floods

  private static let ping = frame(6, [UInt8](repeating: 1, count: 8))
  private static let priority = frame(2, stream: 1, [0, 0, 0, 3, 1])
  private static let update = frame(8, [0, 0, 0, 1])

  @Test(
    arguments: [
      (.settings, frame(4), 20), (.ping, ping, 100), (.priority, priority, 1000),
      (.windowUpdate, update, 1000),
    ] as [(FloodBudget.Kind, [UInt8], Int)])
  func `a flood of frames ends the connection, and its budget does not`(kind: FloodBudget.Kind, bytes: [UInt8], budget: Int)
    throws
  {
    let pair = try TestPair()
    // The client's own SETTINGS were the first.
    let left = kind == .settings ? budget - 1 : budget
    for _ in 0..<left { pair.send(raw: bytes) }
    #expect(pair.server.events.isEmpty && pair.goAwayCode == nil)
    pair.send(raw: bytes)
    #expect(pair.server.events == [.flooded(kind)])
    #expect(pair.goAwayCode == StreamError.enhanceYourCalm.rawValue)
    #expect(pair.server.isOver)
  }

  @Test func `a budget flows back with time`() throws {
    let pair = try TestPair()
    for _ in 0..<500 {
      pair.send(raw: Self.ping)
      pair.now = pair.now + .milliseconds(100)
    }
    #expect(pair.server.events.isEmpty && pair.goAwayCode == nil)
  }

  @Test func `answers that nobody reads end the connection`() throws {
    let pair = try TestPair()
    for _ in 0..<1000 where pair.server.events.isEmpty {
      pair.now = pair.now + .seconds(1)
      pair.server.receive(Self.ping.span, now: pair.now)
    }
    #expect(pair.server.events == [.flooded(.unreadAnswer)])
  }

  @Test func `requests that are taken back end the connection, after as many as a page may have`() throws {
    let pair = try TestPair()
    for round in 0..<310 {
      let stream = pair.client.request(post, body: [], isWhole: false)
      pair.exchange()
      pair.client.reset(stream)
      pair.exchange()
      if round == 299 { #expect(pair.client.goAway == nil) }
    }
    #expect(pair.server.events.contains(.flooded(.resetReceived)))
    #expect(pair.client.goAway?.code == StreamError.enhanceYourCalm.rawValue)
  }

  @Test func `resets that the client makes us send end the connection`() throws {
    let pair = try TestPair()
    var stream: UInt32 = 1
    while !pair.server.events.contains(.flooded(.resetProvoked)), stream < 1000 {
      // A window beyond all bounds is an error of the stream (RFC 9113 §6.9.1), which is how a client makes a server reset.
      let head = frame(1, flags: 4, stream: stream, [0x82, 0x87, 0x84, 0x41, 1, 0x61])
      pair.send(raw: head + frame(8, stream: stream, [0x7f, 0xff, 0xff, 0xff]))
      stream += 2
    }
    #expect(stream / 2 == 101)
    #expect(pair.goAwayCode == StreamError.enhanceYourCalm.rawValue)
  }

  @Test func `a head goes on in a few frames, not in many`() throws {
    let pair = try TestPair()
    pair.server.receive(frame(1, flags: 0, stream: 1, [0x82]).span, now: pair.now)
    for _ in 0..<20 { pair.server.receive(frame(9, flags: 0, stream: 1, []).span, now: pair.now) }
    pair.send(raw: [])
    #expect(pair.server.isOver && pair.goAwayCode != nil)
  }

  @Test func `heads in several frames each end the connection in the long run`() throws {
    let pair = try TestPair()
    pair.server.answers = true
    var stream: UInt32 = 1
    while !pair.server.events.contains(.flooded(.continuation)), stream < 500 {
      let head = frame(1, flags: 1, stream: stream, [0x82]) + frame(9, stream: stream, [0x87]) + frame(9, stream: stream, [0x84])
      pair.server.receive((head + frame(9, flags: 4, stream: stream, [0x41, 1, 0x61])).span, now: pair.now)
      stream += 2
    }
    #expect(stream / 2 == 34)
  }

  @Test func `data without data ends the connection`() throws {
    let pair = try TestPair()
    let stream = pair.client.request(post, body: [], isWhole: false)
    pair.exchange()
    for _ in 0..<100 { pair.send(raw: frame(0, stream: UInt32(stream))) }
    #expect(pair.goAwayCode == nil)
    pair.send(raw: frame(0, stream: UInt32(stream)))
    #expect(pair.server.events.contains(.flooded(.emptyData)))
  }

  @Test func `a small head that becomes a large one is refused, and many of them end the connection`() throws {
    let pair = try TestPair()
    // An entry of 3 KB goes into the table once, and is then named again and again by a byte.
    let large: [UInt8] = [0x40, 1, 0x61, 0x7f, 0xb9, 0x16] + [UInt8](repeating: 0x62, count: 3000)
    let begin: [UInt8] = [0x82, 0x87, 0x84, 0x41, 1, 0x61]
    pair.send(raw: frame(1, flags: 5, stream: 1, begin + large))
    var stream: UInt32 = 3
    while !pair.server.events.contains(.flooded(.headerTable)), stream < 500 {
      pair.server.receive(
        frame(1, flags: 5, stream: stream, [0x82, 0x87, 0x84] + [UInt8](repeating: 0xbe, count: 16_000)).span, now: pair.now)
      pair.send(raw: [])
      stream += 2
    }
    #expect(pair.server.events.contains(.refused(3, .headTooLarge)))
    #expect(stream / 2 == 22)
  }
}
