import EdgeCore
import EdgeHTTP
import EdgeHTTP2
import EdgePolicy

/// A connection of HTTP/2 whose both ends do what a script says.
final class HTTP2Course: HTTP2Session {
  /// What the session told.
  enum Event: Equatable {
    case head(RequestHead, StreamNumber, isWhole: Bool)
    case badHead(HTTPParseError, StreamNumber, isWhole: Bool)
    case data(Digest, StreamNumber)
    case end(StreamNumber)
    case badTrailers(HTTPParseError, StreamNumber)
    case closed(StreamNumber)
    case flooded(FloodBudget.Kind)
  }

  private(set) var events: [Event] = []
  /// Every byte that went to the client.
  private(set) var output: [UInt8] = []
  private let cut: ([UInt8]) -> [[UInt8]]
  private var now = Instant(nanoseconds: 1_000_000_000)
  private var nextStream: StreamNumber = 1
  /// What is left to send on streams that have a body, and whether it ends with that.
  private var bodies: [StreamNumber: (count: Int, isWhole: Bool)] = [:]
  /// How much a client may still be told to send again.
  private var unused: [StreamNumber: Int] = [:]
  private var unusedBytes = 0
  private var broken: BrokenClaim?

  /// - Parameter cut: how what the client sends is cut.
  init(cut: @escaping ([UInt8]) -> [[UInt8]]) throws(HTTP2Error) {
    self.cut = cut
    try super.init(headLimits: HeadLimits(maxLineBytes: 300, maxFieldCount: 12, maxHeadBytes: 900))
    send(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + frame(settingsFrame, flags: 0, stream: 0, []))
  }

  // MARK: The script

  /// Does what the byte `event` stands for, and takes what belongs to it.
  func happens(_ event: UInt8, _ script: inout Script) throws(BrokenClaim) {
    switch event & 15 {
    case 0: send(script.bytes())
    case 1: send(frame(script.byte() ?? 0, flags: script.byte() ?? 0, stream: StreamNumber(script.byte() ?? 0), script.bytes()))
    case 2: send(request(event >> 4, &script))
    case 3: send(frame(0, flags: event >> 4, stream: someStream(&script), script.bytes()))
    case 4:
      let stream = someStream(&script)
      send(frame(0, flags: event >> 4, stream: stream, [UInt8](repeating: 7, count: Int(script.byte() ?? 0) << 6)))
    case 5: send(frame(windowUpdateFrame, flags: 0, stream: event < 128 ? 0 : someStream(&script), number(&script, shift: 8)))
    case 6: send(frame(resetFrame, flags: 0, stream: someStream(&script), [0, 0, 0, event >> 4]))
    case 7: send(frame(settingsFrame, flags: 0, stream: 0, [0, event >> 4] + number(&script, shift: 6)))
    case 8: answer(someStream(&script), rest: event >> 4)
    case 9: addBody(someStream(&script), count: Int(script.byte() ?? 0) << 7, isWhole: event & 0x10 != 0)
    case 10: reset(someStream(&script), event & 0x10 == 0 ? .cancel : .internalError)
    case 11: use(someStream(&script))
    case 12: takeOutput(limit: Int(script.byte() ?? 0) << 8)
    case 13: now = now + .milliseconds(Int(script.byte() ?? 0) * 20)
    case 14: announceEnd()
    default: if event & 0x80 == 0 { refuseStreams() } else { end(.enhanceYourCalm) }
    }
    if let broken { throw broken }
  }

  /// The edge ends the connection, and says all that it has to say.
  func end() throws(BrokenClaim) {
    end(.none)
    takeOutput(limit: .max)
    if let broken { throw broken }
    try claim("a connection that is ended is over", isOver && !hasOutput)
  }

  private func send(_ bytes: [UInt8]) {
    for piece in cut(bytes) { receive(piece.span, now: now) }
  }

  private func answer(_ stream: StreamNumber, rest: UInt8) {
    let status = rest & 3 == 2 ? 103 : 200
    let fields = StreamFields(ResponseHead(status: status, fields: ["X-Answer": "some text"]))
    switch rest & 3 {
    case 0: send(fields, on: stream, .nothing)
    case 2: send(fields, on: stream, .head)
    default:
      bodies[stream] = (Int(rest) << 4, rest & 4 != 0)
      send(fields, on: stream, .body)
    }
  }

  private func addBody(_ stream: StreamNumber, count: Int, isWhole: Bool) {
    guard let body = bodies[stream], !body.isWhole else { return }
    bodies[stream] = (body.count + count, isWhole)
    bodyGoesOn(on: stream)
  }

  private func use(_ stream: StreamNumber) {
    guard let count = unused.removeValue(forKey: stream) else { return }
    unusedBytes -= count
    consumed(count, on: stream)
  }

  private func takeOutput(limit: Int) {
    takeOutput(into: &output, limit: limit < .max ? output.count + limit : limit)
  }

  // MARK: Events

  override func received(_ head: RequestHead, on stream: StreamNumber, isWhole: Bool) {
    events.append(.head(head, stream, isWhole: isWhole))
  }

  override func received(_ error: HTTPParseError, on stream: StreamNumber, isWhole: Bool) {
    events.append(.badHead(error, stream, isWhole: isWhole))
    send(StreamFields(ResponseHead(status: error.status)), on: stream, .nothing)
  }

  override func received(_ bytes: Span<UInt8>, on stream: StreamNumber) {
    unused[stream, default: 0] += bytes.count
    unusedBytes += bytes.count
    // The library tells of the frame that breaks the window before it resets the stream.
    let most = HTTP2Limits.streamWindowBytes + maxFrameBytes
    if unused[stream, default: 0] > most || unusedBytes > HTTP2Limits.connectionWindowBytes {
      broken = BrokenClaim(claim: "no more comes than windows allow, and one frame")
    }
    // However it is cut, it is one piece of data until something else is told.
    guard case .data(var digest, stream)? = events.last else { return events.append(.data(Digest(of: bytes), stream)) }
    digest.add(bytes)
    events[events.count - 1] = .data(digest, stream)
  }

  override func receivedEnd(of stream: StreamNumber) { events.append(.end(stream)) }

  override func receivedBadTrailers(_ error: HTTPParseError, on stream: StreamNumber) {
    events.append(.badTrailers(error, stream))
    reset(stream, .protocolError)
  }

  override func closed(_ stream: StreamNumber) { events.append(.closed(stream)) }

  override func flooded(_ kind: FloodBudget.Kind) { events.append(.flooded(kind)) }

  override func takeBody(of stream: StreamNumber, into room: inout MutableSpan<UInt8>) -> BodyPart {
    guard let body = bodies[stream] else { return .last(0) }
    let count = min(room.count, body.count)
    for index in 0..<count { room[index] = 7 }
    bodies[stream] = (body.count - count, body.isWhole)
    if body.isWhole, count == body.count { return .last(count) }
    return count > 0 ? .bytes(count) : .later
  }

  // MARK: Frames

  /// A head on the next stream: one of three beginnings, and fields of the script's, none of them compressed.
  private func request(_ choice: UInt8, _ script: inout Script) -> [UInt8] {
    let stream = nextStream
    nextStream += 2
    var block = requestBeginnings[Int(choice >> 1) % requestBeginnings.count]
    for _ in 0..<min(script.byte() ?? 0, 14) { block += field(script.bytes(), script.bytes()) }
    let ends: UInt8 = choice & 1
    return frame(headersFrame, flags: ends | endOfHead, stream: stream, block)
  }

  /// A stream that was opened, or the next.
  private func someStream(_ script: inout Script) -> StreamNumber {
    StreamNumber(script.byte() ?? 0) % (nextStream + 1)
  }
}

/// A frame (RFC 9113 §4.1).
private func frame(_ type: UInt8, flags: UInt8, stream: StreamNumber, _ payload: [UInt8]) -> [UInt8] {
  bigEndian(Int32(payload.count)).dropFirst() + [type, flags] + bigEndian(stream) + payload
}

/// A literal field that is not added to the table (RFC 7541 §6.2.2).
private func field(_ name: [UInt8], _ value: [UInt8]) -> [UInt8] {
  [0, UInt8(min(name.count, 126))] + name.prefix(126) + [UInt8(min(value.count, 126))] + value.prefix(126)
}

private func number(_ script: inout Script, shift: Int32) -> [UInt8] {
  bigEndian(StreamNumber(script.byte() ?? 0) << shift)
}

private func bigEndian(_ value: Int32) -> [UInt8] {
  [UInt8(truncatingIfNeeded: value >> 24), UInt8(truncatingIfNeeded: value >> 16)]
    + [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)]
}

private let headersFrame: UInt8 = 1
private let resetFrame: UInt8 = 3
private let settingsFrame: UInt8 = 4
private let windowUpdateFrame: UInt8 = 8
private let endOfHead: UInt8 = 4
/// What SETTINGS_MAX_FRAME_SIZE is as long as nobody says otherwise (RFC 9113 §6.5.2).
private let maxFrameBytes = 16_384

private let requestBeginnings: [[UInt8]] = [
  [(":method", "GET"), (":scheme", "https"), (":authority", "a"), (":path", "/")],
  [(":method", "POST"), (":scheme", "https"), (":authority", "a"), (":path", "/b?c"), ("content-length", "5")],
  [
    (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":authority", "a"), (":path", "/ws"),
    ("sec-websocket-version", "13"),
  ],
  [],
].map { fields in fields.flatMap { field(Array($0.0.utf8), Array($0.1.utf8)) } }
