import CNghttp2
import EdgeCore
import EdgeHTTP
import EdgeHTTP2
import EdgePolicy

/// The client's side of a connection, by nghttp2 itself, and a server's side that does what a test tells it.
final class TestPair {
  let server: TestServer
  let client: TestClient
  var now = Instant(nanoseconds: 1_000_000_000)
  /// What the last GOAWAY said that came back for raw bytes.
  private(set) var goAwayCode: UInt32?

  init(headLimits: HeadLimits = HeadLimits(), floods: FloodLimits = .usual) throws {
    server = try TestServer(headLimits: headLimits, floods: floods)
    client = TestClient()
    exchange()
  }

  /// Carries bytes both ways until nobody has any.
  func exchange() {
    while true {
      let toServer = client.output()
      if !toServer.isEmpty { server.receive(toServer.span, now: now) }
      var toClient: [UInt8] = []
      server.takeOutput(into: &toClient, limit: .max)
      client.receive(toClient)
      if toServer.isEmpty, toClient.isEmpty { return }
    }
  }

  /// Gives the server bytes that no client of nghttp2 would send; gives the frames that come back, which that client does not see.
  @discardableResult
  func send(raw bytes: [UInt8]) -> [Frame] {
    server.receive(bytes.span, now: now)
    var output: [UInt8] = []
    server.takeOutput(into: &output, limit: .max)
    let frames = Frame.all(in: output)
    for case let frame in frames where frame.type == 7 { goAwayCode = frame.payload[4..<8].reduce(0) { $0 << 8 | UInt32($1) } }
    return frames
  }
}

/// Records what it is told, and answers as `answers` says.
final class TestServer: HTTP2Session {
  enum Event: Equatable {
    case head(StreamNumber, method: String, isWhole: Bool)
    case refused(StreamNumber, HTTPParseError)
    case data(StreamNumber, [UInt8])
    case end(StreamNumber)
    case closed(StreamNumber)
    case flooded(FloodBudget.Kind)
  }

  var events: [Event] = []
  /// What is to be sent on each stream, and whether it ends then.
  var bodies: [StreamNumber: (bytes: [UInt8], isWhole: Bool)] = [:]
  /// What malformed requests are answered with, before their streams are reset; nil for no body, and no reset.
  var refusal: [UInt8]?
  /// Whether bodies are used as they come.
  var consumes = true
  /// Whether each request is answered at once, with 204.
  var answers = false

  func respond(_ stream: StreamNumber, status: Int = 200, _ fields: HTTPFields = [:], _ rest: StreamRest = .nothing) {
    send(StreamFields(ResponseHead(status: status, fields: fields)), on: stream, rest)
  }

  override func received(_ head: RequestHead, on stream: StreamNumber, isWhole: Bool) {
    events.append(.head(stream, method: head.method, isWhole: isWhole))
    if answers { respond(stream, status: 204) }
  }

  override func received(_ error: HTTPParseError, on stream: StreamNumber, isWhole: Bool) {
    events.append(.refused(stream, error))
    guard let refusal else { return respond(stream, status: error.status) }
    bodies[stream] = (refusal, true)
    respond(stream, status: error.status, [:], .body)
  }

  override func received(_ bytes: Span<UInt8>, on stream: StreamNumber) {
    events.append(.data(stream, bytes.indices.map { bytes[$0] }))
    if consumes { consumed(bytes.count, on: stream) }
  }

  override func receivedEnd(of stream: StreamNumber) { events.append(.end(stream)) }

  override func receivedBadTrailers(_ error: HTTPParseError, on stream: StreamNumber) { events.append(.refused(stream, error)) }

  override func closed(_ stream: StreamNumber) { events.append(.closed(stream)) }

  override func flooded(_ kind: FloodBudget.Kind) { events.append(.flooded(kind)) }

  override func takeBody(of stream: StreamNumber, into room: inout MutableSpan<UInt8>) -> BodyPart {
    guard let body = bodies[stream] else { return .later }
    let count = min(room.count, body.bytes.count)
    for index in 0..<count { room[index] = body.bytes[index] }
    bodies[stream]?.bytes.removeFirst(count)
    if body.isWhole, count == body.bytes.count { return refusal == nil ? .last(count) : .lastOfMalformed(count) }
    return count > 0 ? .bytes(count) : .later
  }
}

/// What the client's side saw.
final class TestClient {
  var fields: [Int32: [[String]]] = [:]
  var data: [Int32: [UInt8]] = [:]
  var ended: Set<Int32> = []
  var resets: [Int32: UInt32] = [:]
  var goAway: (last: Int32, code: UInt32)?
  var pings = 0
  private var session: OpaquePointer?
  /// What is to be sent on streams that were opened with a body.
  fileprivate var bodies: [Int32: (bytes: [UInt8], isWhole: Bool)] = [:]

  /// - Parameter opensWindows: whether the server may go on as data comes.
  init(opensWindows: Bool = true) {
    var callbacks: OpaquePointer?
    var options: OpaquePointer?
    nghttp2_session_callbacks_new(&callbacks)
    nghttp2_option_new(&options)
    nghttp2_option_set_no_http_messaging(options, 1)
    nghttp2_option_set_no_auto_window_update(options, opensWindows ? 0 : 1)
    nghttp2_session_callbacks_set_on_header_callback(callbacks) { _, frame, name, nameCount, value, valueCount, _, data in
      guard let client = client(data), let frame else { return 0 }
      let text = { (start: UnsafePointer<UInt8>?, count: Int) in
        String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
      }
      client.fields[frame.pointee.hd.stream_id, default: []].append([text(name, nameCount), text(value, valueCount)])
      return 0
    }
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, stream, bytes, count, data in
      client(data)?.data[stream, default: []] += UnsafeBufferPointer(start: bytes, count: count)
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, data in
      if let frame { client(data)?.received(frame.pointee) }
      return 0
    }
    nghttp2_session_client_new2(&session, callbacks, nil, options)
    nghttp2_session_callbacks_del(callbacks)
    nghttp2_option_del(options)
    nghttp2_session_set_user_data(session, Unmanaged.passUnretained(self).toOpaque())
    nghttp2_submit_settings(session, 0, nil, 0)
  }

  deinit { nghttp2_session_del(session) }

  private func received(_ frame: nghttp2_frame) {
    let head = frame.hd
    switch UInt32(head.type) {
    case NGHTTP2_RST_STREAM.rawValue: resets[head.stream_id] = frame.rst_stream.error_code
    case NGHTTP2_GOAWAY.rawValue: goAway = (frame.goaway.last_stream_id, frame.goaway.error_code)
    case NGHTTP2_PING.rawValue: pings += 1
    case NGHTTP2_DATA.rawValue, NGHTTP2_HEADERS.rawValue:
      if UInt32(head.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0 { ended.insert(head.stream_id) }
    default: break
    }
  }

  func output() -> [UInt8] {
    var all: [UInt8] = []
    var frame: UnsafePointer<UInt8>?
    while case let count = nghttp2_session_mem_send(session, &frame), count > 0 {
      all += UnsafeBufferPointer(start: frame, count: count)
    }
    return all
  }

  func receive(_ bytes: [UInt8]) {
    precondition(nghttp2_session_mem_recv(session, bytes, bytes.count) == bytes.count, "the server's bytes are not HTTP/2")
  }

  /// Opens a stream with these fields.
  func request(_ fields: [(String, String)] = get, body: [UInt8]? = nil, isWhole: Bool = true) -> Int32 {
    let copy = { (text: String) in
      let room = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.utf8.count + 1)
      _ = room.update(fromContentsOf: text.utf8)
      return room.baseAddress
    }
    let list = fields.map { name, value in
      nghttp2_nv(name: copy(name), value: copy(value), namelen: name.utf8.count, valuelen: value.utf8.count, flags: 0)
    }
    defer {
      for entry in list {
        entry.name.deallocate()
        entry.value.deallocate()
      }
    }
    guard let body else { return nghttp2_submit_request(session, nil, list, list.count, nil, nil) }
    var provider = nghttp2_data_provider(source: nghttp2_data_source()) { _, stream, room, count, flags, _, data in
      guard let room, let flags else { return 0 }
      return client(data)?.takeBody(of: stream, room, count, flags) ?? 0
    }
    let stream = nghttp2_submit_request(session, nil, list, list.count, &provider, nil)
    bodies[stream] = (body, isWhole)
    return stream
  }

  private func takeBody(
    of stream: Int32, _ room: UnsafeMutablePointer<UInt8>, _ count: Int, _ flags: UnsafeMutablePointer<UInt32>
  ) -> Int {
    guard let body = bodies[stream] else { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
    let taken = min(count, body.bytes.count)
    for index in 0..<taken { room[index] = body.bytes[index] }
    bodies[stream]?.bytes.removeFirst(taken)
    if body.isWhole, taken == body.bytes.count { flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
    return taken > 0 || body.isWhole ? taken : Int(NGHTTP2_ERR_DEFERRED.rawValue)
  }

  func reset(_ stream: Int32) { nghttp2_submit_rst_stream(session, 0, stream, NGHTTP2_CANCEL.rawValue) }

  /// What the server said of itself.
  func setting(_ id: nghttp2_settings_id) -> UInt32 { nghttp2_session_get_remote_settings(session, id) }

  func consume(_ count: Int, on stream: Int32) { nghttp2_session_consume(session, stream, count) }
}

private func client(_ data: UnsafeMutableRawPointer?) -> TestClient? {
  data.map { Unmanaged<TestClient>.fromOpaque($0).takeUnretainedValue() }
}

let get = [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/")]
let post = [(":method", "POST"), (":scheme", "https"), (":authority", "localhost"), (":path", "/")]

/// A frame by hand (RFC 9113 §4.1).
func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
  let count = payload.count
  return [UInt8(count >> 16), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags]
    + [UInt8(stream >> 24), UInt8(stream >> 16 & 255), UInt8(stream >> 8 & 255), UInt8(stream & 255)] + payload
}

/// A frame that was read.
struct Frame {
  let type: UInt8
  let flags: UInt8
  let stream: UInt32
  let payload: [UInt8]

  static func all(in bytes: [UInt8]) -> [Frame] {
    var frames: [Frame] = []
    var offset = 0
    while offset < bytes.count {
      let number = { (range: Range<Int>) in range.reduce(0) { $0 << 8 | Int(bytes[offset + $1]) } }
      let end = offset + 9 + number(0..<3)
      frames.append(
        Frame(
          type: bytes[offset + 3], flags: bytes[offset + 4], stream: UInt32(number(5..<9)),
          payload: Array(bytes[(offset + 9)..<end])))
      offset = end
    }
    return frames
  }
}
