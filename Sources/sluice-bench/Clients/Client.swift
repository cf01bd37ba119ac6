import EdgeCore
import EdgeTLS
import EdgeWebSocket

/// One WebSocket client, whatever carries it: reads frames and answers pings. Subclass it for what is between.
class Client {
  /// What the load that made it tells it apart by.
  let index: Int
  final let context: LoadContext
  /// The stream that it has on a connection of HTTP/2.
  final var stream: Int32 = 0
  private unowned let load: Load
  /// Its connection, which holds it, and which the reactor holds as long as it lasts.
  private weak var carrier: Carrier?
  private var stage = Stage.waiting
  private var frames = FrameReader(sender: .worker, maxMessageBytes: .max, checksUTF8: false)
  /// The beginning of a frame whose rest has yet to come.
  private var kept: [UInt8] = []

  init(index: Int, load: Load) {
    self.index = index
    self.load = load
    context = load.context
  }

  // MARK: For subclasses

  /// Called once, when the answer to the opening handshake was checked.
  func opened() {}

  /// Called for payload of a message, in order; `bytes` is all of it that has come.
  ///
  /// - Parameter endsMessage: whether it is the message's last.
  func received(_ bytes: Span<UInt8>, endsMessage: Bool) {}

  /// Sends bytes of the WebSocket.
  final func send(_ bytes: Span<UInt8>) {
    carrier?.send(bytes, of: self)
  }

  /// Ends the WebSocket.
  final func close() {
    stage = .over
    let last = carrier
    carrier = nil
    last?.close(self)
  }

  /// Ends the load.
  final func fail(_ failure: LoadFailure) {
    stage = .over
    load.fail(failure)
  }

  /// A mask key for the next frame.
  final func nextMask() -> MaskKey {
    MaskKey(rawValue: UInt32(truncatingIfNeeded: context.numbers.next()))
  }

  /// What its connection agreed on; nil without TLS.
  final var tlsInfo: TLSInfo? { carrier?.tlsInfo }

  /// The means to resume its connection's TLS session.
  final func ticket() -> TLSClientTicket? { carrier?.ticket() }

  // MARK: For carriers

  /// A connection carries it from now on.
  final func carried(by carrier: Carrier) {
    self.carrier = carrier
  }

  /// The answer to its opening handshake was checked.
  final func accepted() {
    stage = .open
    opened()
    load.opened(self)
  }

  /// Bytes of the WebSocket have come.
  final func receive(_ bytes: Span<UInt8>) {
    do throws(FrameError) {
      guard kept.isEmpty else { return try readFrames(takeKept(and: bytes).span) }
      try readFrames(bytes)
    } catch {
      fail(.webSocket(error.rawValue))
    }
  }

  private func readFrames(_ bytes: Span<UInt8>) throws(FrameError) {
    var offset = 0
    while stage == .open {
      switch try frames.next(bytes, at: offset) {
      case .needMore: return keep(bytes.extracting(droppingFirst: offset))
      case .data(_, startsMessage: _, let end): offset = end
      case .payload(let end, endsFrame: _, let endsMessage):
        received(bytes.extracting(offset..<end), endsMessage: endsMessage)
        offset = end
      case .ping(let body, let end):
        var pong: [UInt8] = []
        FrameWriter.appendPong(ControlPayload(body, in: bytes), maskKey: nextMask(), into: &pong)
        send(pong.span)
        offset = end
      case .pong(_, let end): offset = end
      case .close(let code, reason: _, end: _): return fail(.webSocket("closed with \(code?.rawValue ?? 1005)"))
      case .afterClose: return
      }
    }
  }

  private func keep(_ bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBufferPointer { unsafe kept.append(contentsOf: $0) }
  }

  private func takeKept(and bytes: Span<UInt8>) -> [UInt8] {
    keep(bytes)
    defer { kept = [] }
    return kept
  }
}

/// How far a client is.
private enum Stage {
  /// The answer to its opening handshake has yet to come.
  case waiting
  case open
  case over
}
