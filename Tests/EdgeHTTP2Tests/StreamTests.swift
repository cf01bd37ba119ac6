import EdgeHTTP
import EdgeHTTP2
import EdgePolicy
import Testing

/// A stream's life, and what may be said on one that is over (RFC 9113 §5.1, §8.1.1).
@Suite struct StreamTests {
  @Test func `a malformed request is answered, and its stream is then reset as the client's error`() throws {
    let pair = try TestPair()
    pair.server.refusal = Array("no".utf8)
    let bad = pair.client.request(get + [("connection", "close")])
    pair.exchange()
    #expect(pair.client.fields[bad] == [[":status", "400"]] && pair.client.data[bad] == Array("no".utf8))
    #expect(pair.client.resets[bad] == StreamError.protocolError.rawValue && !pair.client.ended.contains(bad))
    #expect(pair.server.events.last == .closed(bad) && pair.client.goAway == nil)
  }

  @Test func `a hundred malformed requests are answered, and one more ends the connection`() throws {
    let pair = try TestPair()
    pair.server.refusal = Array("no".utf8)
    for round in 0..<101 {
      #expect(pair.client.goAway == nil, "after \(round)")
      _ = pair.client.request(get + [("connection", "close")])
      pair.exchange()
    }
    #expect(pair.server.events.contains(.flooded(.resetProvoked)))
    #expect(pair.client.goAway?.code == StreamError.enhanceYourCalm.rawValue)
  }

  private static let whole = frame(1, flags: 5, stream: 1, block)
  private static let open = frame(1, flags: 4, stream: 1, block)
  private static let cancel = frame(3, stream: 1, [0, 0, 0, 8])

  @Test(arguments: [frame(0, stream: 1, [1]), whole], [whole, open + frame(0, flags: 1, stream: 1), open + cancel])
  func `whoever goes on with a stream that it has ended breaks the connection`(more: [UInt8], ended: [UInt8]) throws {
    let pair = try TestPair()
    pair.server.answers = true
    pair.send(raw: ended)
    pair.send(raw: more)
    #expect(pair.goAwayCode == StreamError.streamClosed.rawValue)
    #expect(pair.server.isOver)
  }

  @Test func `a stream that was passed over is never opened`() throws {
    let pair = try TestPair()
    pair.server.answers = true
    pair.send(raw: frame(1, flags: 5, stream: 7, block))
    pair.send(raw: frame(1, flags: 5, stream: 9, block))
    pair.send(raw: frame(1, flags: 5, stream: 3, block))
    #expect(pair.goAwayCode == StreamError.protocolError.rawValue)
  }

  @Test func `what was on its way when the edge reset a stream is taken, and leaves the connection's window as it was`() throws {
    let pair = try TestPair()
    pair.send(raw: Self.open)
    pair.server.reset(1, .cancel)
    // Twice as much as the window holds, so that it is given back.
    for _ in 0..<128 { pair.send(raw: frame(0, stream: 1, [UInt8](repeating: 0, count: 16_384))) }
    pair.send(raw: frame(1, flags: 5, stream: 1, block))
    #expect(pair.goAwayCode == nil)
    pair.send(raw: frame(1, flags: 5, stream: 3, block))
    #expect(pair.server.events.last == .head(3, method: "GET", isWhole: true))
  }

  @Test func `padding is given back to both windows`() throws {
    let pair = try TestPair()
    pair.send(raw: Self.open)
    // Each frame is a byte of data and 255 of padding; together they are eight times the stream's window.
    let padded = frame(0, flags: 8, stream: 1, [254, 1] + [UInt8](repeating: 0, count: 254))
    var updates = 0
    for _ in 0..<2048 { updates += pair.send(raw: padded).count { $0.type == 8 && $0.stream == 1 } }
    #expect(pair.goAwayCode == nil && updates > 0)
    #expect(pair.server.events.count { $0 == .data(1, [1]) } == 2048)
  }

  @Test(arguments: [(0, [0, 0, 0, 3, 1]), (5, [0, 0, 0, 5, 1]), (5, [0x80, 0, 0, 5, 1])] as [(UInt32, [UInt8])])
  func `PRIORITY needs a stream, and another one to depend on, though nobody heeds it`(stream: UInt32, payload: [UInt8]) throws {
    for bytesAtATime in [1, 4, 100] {
      let pair = try TestPair()
      pair.send(raw: frame(2, stream: 5, [0, 0, 0, 3, 1]) + frame(1, flags: 5, stream: 1, block))
      #expect(pair.server.events == [.head(1, method: "GET", isWhole: true)])
      var rest = frame(2, stream: stream, payload)[...]
      while !rest.isEmpty {
        pair.send(raw: Array(rest.prefix(bytesAtATime)))
        rest = rest.dropFirst(bytesAtATime)
      }
      #expect(pair.goAwayCode == StreamError.protocolError.rawValue)
    }
  }

  @Test func `SETTINGS that open a stream's window beyond all bounds break the connection, to the bound they do not`() throws {
    let pair = try TestPair()
    // The window of stream 1 is 65,535 + 2^30 bytes.
    pair.send(raw: Self.open + frame(1, flags: 4, stream: 3, block) + frame(8, stream: 1, [0x40, 0, 0, 0]))
    pair.send(raw: frame(4, [0, 4, 0x3f, 0xff, 0xff, 0xff]))
    #expect(pair.goAwayCode == nil)
    for byte in frame(4, [0, 4, 0x40, 0, 0, 0]) { pair.send(raw: [byte]) }
    #expect(pair.goAwayCode == StreamError.flowControlError.rawValue)
    #expect(pair.server.isOver)
  }
}

/// GET, https, / and an authority.
private let block: [UInt8] = [0x82, 0x87, 0x84, 0x41, 1, 0x61]
