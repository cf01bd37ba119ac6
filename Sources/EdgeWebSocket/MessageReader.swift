/// Something whole that a peer said.
public enum WebSocketEvent: Equatable, Sendable {
  /// A message, unmasked, from all its fragments.
  case message(MessageKind, [UInt8])
  /// A ping, to be answered with a pong of the same payload.
  case ping(ControlPayload)
  /// A pong.
  case pong(ControlPayload)
  /// The peer's Close, the last event there is. The code is nil when the frame bore none.
  case close(CloseCode?, reason: String)
}

/// Collects whole messages: for an endpoint, where `FrameReader` is for a relay.
///
/// Keeps partial input itself. Memory follows the bytes that came, never the length that was announced, and stays
/// within `maxMessageBytes` + `FrameReader.maxKeptBytes`.
public struct MessageReader: ~Copyable, Sendable {
  private var frames: FrameReader
  private var kept: [UInt8] = []
  private var message: [UInt8] = []
  /// The key for the rest of the current frame.
  private var payloadKey = MaskKey.zero

  /// Begins a direction. A server reads from a `.client`, a client from a `.worker`. Text is always checked.
  public init(sender: FrameSender, maxMessageBytes: Int) {
    frames = FrameReader(sender: sender, maxMessageBytes: maxMessageBytes, checksUTF8: true)
  }

  /// Takes the next bytes and calls `body` for each event that they complete, in order.
  ///
  /// Bytes after the peer's Close are ignored (RFC 6455 §5.5.1).
  /// - Throws: `FrameError`, after the events before it; close the connection with its `closeCode`.
  public mutating func receive(_ bytes: Span<UInt8>, _ body: (WebSocketEvent) -> Void) throws(FrameError) {
    guard !kept.isEmpty else {
      let end = try readFrames(bytes, body)
      kept.append(copying: bytes.extracting(end...))
      return
    }
    var input = kept
    kept.removeAll()
    input.append(copying: bytes)
    let end = try readFrames(input.span, body)
    kept.append(copying: input.span.extracting(end...))
  }

  /// Reads all that is whole; returns where the rest, to be kept, begins.
  private mutating func readFrames(_ bytes: Span<UInt8>, _ body: (WebSocketEvent) -> Void) throws(FrameError) -> Int {
    var offset = 0
    while true {
      let kind = frames.currentMessageKind
      switch try frames.next(bytes, at: offset) {
      case .needMore:
        return offset
      case .afterClose:
        return bytes.count
      case .data(let header, startsMessage: _, let end):
        payloadKey = header.maskKey ?? .zero
        offset = end
      case .payload(let end, endsFrame: _, let endsMessage):
        takePayload(bytes.extracting(offset..<end))
        offset = end
        if endsMessage, let kind {
          body(.message(kind, message))
          message = []
        }
      case .ping(let payload, let end):
        body(.ping(ControlPayload(payload, in: bytes)))
        offset = end
      case .pong(let payload, let end):
        body(.pong(ControlPayload(payload, in: bytes)))
        offset = end
      case .close(let code, let reason, let end):
        body(.close(code, reason: String(closeReason: reason, in: bytes)))
        offset = end
      }
    }
  }

  /// Appends payload to the message and takes the mask off.
  private mutating func takePayload(_ payload: Span<UInt8>) {
    message.append(copying: payload, maskKey: payloadKey)
    payloadKey = payloadKey.advanced(by: payload.count)
  }
}
