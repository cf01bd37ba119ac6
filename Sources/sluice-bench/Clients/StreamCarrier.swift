import EdgeCore
import EdgeIO
import EdgeTLS
import EdgeWebSocket

/// A connection of HTTP/2 that clients share: each has a stream, opened by extended CONNECT (RFC 8441).
///
/// What clients send in a turn goes out together.
final class StreamCarrier: Carrier {
  private let session: StreamSession
  /// How many streams it may still open.
  private var room: Int
  /// The streams in the order of their numbers: 1, 3, 5, and so on.
  private var streams: [Stream] = []
  private var openCount = 0
  private var isGreeted = false
  /// Whether all clients are done.
  private var isFinished = false
  private var output: [UInt8] = []

  /// Begins to connect.
  ///
  /// - Parameter room: how many streams it will carry at most.
  init(index: Int, room: Int, load: Load) throws(LoadFailure) {
    self.room = room
    session = try StreamSession()
    try super.init(index: index, load: load)
    session.deliver(to: self)
  }

  /// Whether another client may be carried.
  var hasRoom: Bool { room > 0 && !isFinished && !isOver }

  /// Carries a client.
  func carry(_ client: Client) {
    room -= 1
    openCount += 1
    client.stream = Int32(2 * streams.count + 1)
    streams.append(Stream(client))
    client.carried(by: self)
    guard isGreeted else { return }
    request(client)
    sendLater()
  }

  override func began() {
    if let agreed = tlsInfo, agreed.applicationProtocol != "h2" { return fail(.answer("no HTTP/2 was agreed on")) }
    sendOutput()
  }

  override func received(_ bytes: Span<UInt8>) {
    // No frame is so long that it begins as an answer of HTTP/1.1 does.
    let isOlder = !isGreeted && bytes[0] == UInt8(ascii: "H")
    guard !isOlder, session.receive(bytes) else { return fail(.answer("what came is not HTTP/2")) }
  }

  override func receivedAll() {
    sendOutput()
  }

  override func turn() {
    sendOutput()
  }

  override func send(_ bytes: Span<UInt8>, of client: Client) {
    streams[place(of: client.stream)].outgoing.append(bytes)
    session.resume(client.stream)
    sendLater()
  }

  /// Ends the client's stream, and the connection with the last one.
  override func close(_ client: Client) {
    streams[place(of: client.stream)].isOver = true
    session.resume(client.stream)
    openCount -= 1
    isFinished = openCount == 0
    sendLater()
  }

  // MARK: From the session

  /// The proxy's SETTINGS have come: only now may it be asked for WebSockets (RFC 8441 §3).
  func receivedSettings() {
    guard !isGreeted else { return }
    isGreeted = true
    guard session.peerTakesWebSockets else { return fail(.answer("the proxy takes no WebSockets over HTTP/2")) }
    guard session.peerMaxStreams >= streams.count + room else {
      return fail(.answer("the proxy takes \(session.peerMaxStreams) streams on a connection"))
    }
    for stream in streams { request(stream.client) }
  }

  func receivedField(name: String, value: String, on number: Int32) {
    switch name {
    case ":status": streams[place(of: number)].status = value
    case "sec-websocket-protocol": streams[place(of: number)].subprotocols.append(value)
    default: break
    }
  }

  /// The head of an answer is whole.
  func receivedHead(on number: Int32) {
    let stream = streams[place(of: number)]
    do throws(LoadFailure) {
      guard !stream.isOver else { return }
      try check(stream)
      stream.client.accepted()
    } catch {
      fail(error)
    }
  }

  func received(_ bytes: Span<UInt8>, on number: Int32) {
    let stream = streams[place(of: number)]
    if !stream.isOver { stream.client.receive(bytes) }
  }

  /// The proxy has ended a stream.
  func streamEnded(_ number: Int32) {
    if !streams[place(of: number)].isOver { fail(.ended("before its time")) }
  }

  /// The proxy ends the connection.
  func receivedGoAway() {
    fail(.ended("with a GOAWAY"))
  }

  /// Moves what there is to send on a stream to `room`.
  func takeBytes(of number: Int32, into room: inout MutableSpan<UInt8>) -> StreamBytes {
    let stream = streams[place(of: number)]
    let count = min(room.count, stream.outgoing.count)
    guard count > 0 else { return stream.isOver ? .end : .later }
    stream.outgoing.withBytes { room.copy($0.extracting(first: count)) }
    stream.outgoing.removeFirst(count)
    return .bytes(count)
  }

  private func request(_ client: Client) {
    let number = session.request(context.target.streamFields)
    precondition(number == client.stream, "streams are numbered in the order of their requests")
  }

  /// Checks the head of an answer (RFC 8441 §5).
  private func check(_ stream: Stream) throws(LoadFailure) {
    guard stream.status == "200" else { throw .answer(stream.status) }
    let chosen = stream.subprotocols
    guard chosen.count <= 1, chosen.allSatisfy({ context.target.subprotocols.contains($0) }) else {
      throw .answer(WorkerHandshakeError.subprotocolNotOffered.rawValue)
    }
  }

  private func place(of number: Int32) -> Int { Int(number) / 2 }

  private func sendLater() {
    context.reactor.runLater(self)
  }

  private func sendOutput() {
    guard !isOver else { return }
    session.takeOutput(into: &output)
    if !output.isEmpty { sendRaw(output.span) }
    output.removeAll(keepingCapacity: true)
    if isFinished { end() }
  }
}

/// What there is to send on a stream.
enum StreamBytes {
  case bytes(Int)
  /// Nothing for now.
  case later
  /// Nothing any more.
  case end
}

/// A client's stream.
private final class Stream {
  let client: Client
  var status = ""
  var subprotocols: [String] = []
  var outgoing = ByteQueue()
  /// Whether the client wants no more.
  var isOver = false

  init(_ client: Client) {
    self.client = client
  }
}

extension MutableSpan where Element == UInt8 {
  /// Copies `bytes` to its beginning; there is room for them.
  fileprivate mutating func copy(_ bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBytes { source in
      unsafe withUnsafeMutableBytes { unsafe $0.copyMemory(from: source) }
    }
  }
}
