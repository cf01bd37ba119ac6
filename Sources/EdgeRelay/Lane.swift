import EdgeCore
import EdgeWebSocket

/// One direction of a relay: what its sender may still say, and what its receiver may still hear.
struct Lane: ~Copyable {
  // A connection has two lanes for all its life: what takes a byte stands together.
  private var reader: FrameReader
  private var source = Source.open
  /// Whether what has been forwarded so far ends where a frame ends.
  private(set) var isAtBoundary = true
  private var messageIsText = false
  /// Whether the message that has begun is thrown away.
  private(set) var dropsMessage = false
  private var messageBytes = 0
  private var outlet = Outlet.open

  init(reader: consuming FrameReader) {
    self.reader = reader
  }

  /// Other limits hold from the next frame on.
  mutating func adopt(_ limits: RelayLimits) {
    reader.maxMessageBytes = limits.maxMessageBytes
    reader.checksUTF8 = limits.checksUTF8
  }

  /// Whether frames that the sender begins still reach the receiver.
  var forwardsFrames: Bool {
    switch outlet {
    case .open, .parting: true
    case .closing, .closed, .cut: false
    }
  }

  /// Whether what has been forwarded so far ends where a message ends, and more of the sender's may follow.
  var isBetweenMessages: Bool { isAtBoundary && !reader.isInsideMessage && forwardsFrames }

  /// Whether the sender's Close was read, and its connection has not ended since.
  var hasReadClose: Bool { source == .sentClose }

  /// Whether a Close waits for the rest of a frame that the sender may still send.
  var owesClose: Bool {
    switch outlet {
    case .closing: !isAtBoundary && source == .open
    case .open, .parting, .closed, .cut: false
    }
  }

  /// Whether a Close waits for what the sender still says.
  var awaitsLastWords: Bool {
    switch outlet {
    case .parting: true
    case .open, .closing, .closed, .cut: false
    }
  }

  /// Whether the receiver gets nothing more, not even a Close.
  var isCut: Bool {
    switch outlet {
    case .cut: true
    case .open, .parting, .closing, .closed: false
    }
  }

  /// The whole message in one frame that lies at `offset`, if one does and may still be said: the common case. Between messages
  /// the lane is at a boundary, and stays there.
  func wholeMessage(_ bytes: Span<UInt8>, at offset: Int) -> WholeMessage? {
    guard case .open = source else { return nil }
    return reader.wholeMessage(in: bytes, at: offset)
  }

  /// What becomes of a whole message that nothing holds back.
  func passed(_ message: WholeMessage) -> LaneStep {
    guard forwardsFrames else { return .skip(end: message.end) }
    return .pass(end: message.end, message: PassedMessage(message))
  }

  /// The header of the frame that begins at `offset`, if it lies there whole, and the sender may begin such a frame there.
  func header(_ bytes: Span<UInt8>, at offset: Int) -> FrameHeader? {
    guard case .open = source else { return nil }
    return reader.header(in: bytes, at: offset)
  }

  /// Throws the message away whose first frame is about to be read.
  mutating func dropMessage() {
    dropsMessage = true
  }

  /// Reads one step of the sender's bytes.
  mutating func next(_ bytes: Span<UInt8>, at offset: Int) throws(FrameError) -> LaneStep {
    switch source {
    case .open: break
    case .sentClose, .failed, .ended: return .skip(end: bytes.count)
    }
    switch try reader.next(bytes, at: offset) {
    case .needMore:
      return .keep
    case .data(let header, let startsMessage, let end):
      if startsMessage {
        messageIsText = header.opcode == .text
        messageBytes = 0
      }
      messageBytes += header.payloadLength
      guard end < bytes.count || header.payloadLength == 0 else { return passed(end, message: nil) }
      return try payload(bytes, at: end)
    case .payload(let end, endsFrame: _, let endsMessage):
      return passed(end, message: endsMessage ? PassedMessage(isText: messageIsText, payloadBytes: messageBytes) : nil)
    case .ping(_, let end):
      return .ping(end: end)
    case .pong(let body, let end):
      return .pong(body, end: end)
    case .close(let code, let reason, let end):
      source = .sentClose
      return .close(code ?? .noStatus, reason: reason, forwarded: forwardsClose(), end: end)
    case .afterClose:
      return .skip(end: bytes.count)
    }
  }

  /// The sender broke the protocol: the receiver is told, or cut off where a frame of its lane stays unfinished.
  mutating func fail(tellingReceiver close: PendingClose) {
    source = .failed
    finishOutlet(telling: close)
  }

  /// The sender's connection ended: the receiver is told `close` if it heard no Close before; nil ends its connection too.
  mutating func sourceEnded(tellingReceiver close: PendingClose?) {
    source = .ended
    finishOutlet(telling: close)
  }

  /// The receiver shall get `close` at the next frame boundary, unless it got one already.
  mutating func requestClose(_ close: PendingClose) {
    switch outlet {
    case .open: outlet = .closing(close)
    case .parting, .closing, .closed, .cut: break
    }
  }

  /// The receiver shall get `close` in the place of the sender's own Close, once what the sender still says has passed.
  mutating func requestCloseAfterLastWords(_ close: PendingClose) {
    switch outlet {
    case .open: outlet = .parting(close)
    case .parting, .closing, .closed, .cut: break
    }
  }

  /// What the sender says from now on is not waited for.
  mutating func endLastWords() {
    if case .parting(let close) = outlet { outlet = .closing(close) }
  }

  /// Nothing more reaches the receiver.
  mutating func cut() {
    outlet = .cut
  }

  /// The Close that is due to the receiver, once.
  mutating func takeClose() -> PendingClose? {
    guard case .closing(let close) = outlet, isAtBoundary else { return nil }
    outlet = .closed
    return close
  }

  /// Whether the receiver of this lane is done, given the lane that carries what it says.
  func isFinished(with reverse: borrowing Lane) -> Bool {
    switch outlet {
    case .open, .parting, .closing: false
    case .closed: reverse.source != .open
    case .cut: true
    }
  }

  private mutating func payload(_ bytes: Span<UInt8>, at offset: Int) throws(FrameError) -> LaneStep {
    guard case .payload(let end, endsFrame: _, let endsMessage) = try reader.next(bytes, at: offset) else {
      return passed(offset, message: nil)
    }
    return passed(end, message: endsMessage ? PassedMessage(isText: messageIsText, payloadBytes: messageBytes) : nil)
  }

  /// A frame that the receiver already has the beginning of goes on to its end, even when a Close waits behind it.
  private mutating func passed(_ end: Int, message: PassedMessage?) -> LaneStep {
    if dropsMessage {
      dropsMessage = message == nil
      return .skip(end: end)
    }
    switch outlet {
    case .open, .parting: break
    case .closing: if isAtBoundary { return .skip(end: end) }
    case .closed, .cut: return .skip(end: end)
    }
    isAtBoundary = reader.atFrameBoundary
    return .pass(end: end, message: message)
  }

  /// The sender's Close was read: whether it goes on to the receiver.
  private mutating func forwardsClose() -> Bool {
    switch outlet {
    case .open:
      outlet = .closed
      return true
    case .parting:
      endLastWords()
      return false
    case .closing, .closed, .cut:
      return false
    }
  }

  private mutating func finishOutlet(telling close: PendingClose?) {
    switch outlet {
    case .open: outlet = if let close, isAtBoundary { .closing(close) } else { .cut }
    case .parting(let close): outlet = isAtBoundary ? .closing(close) : .cut
    case .closing: if !isAtBoundary { outlet = .cut }
    case .closed, .cut: break
    }
  }
}

/// What the sender of a lane may still say.
private enum Source {
  case open
  /// Its Close was read: what follows is ignored (RFC 6455 §5.5.1).
  case sentClose
  /// It broke the protocol: what follows is ignored.
  case failed
  case ended
}

/// What the receiver of a lane may still hear.
private enum Outlet {
  case open
  /// A Close of the edge's own waits until the sender has said its own.
  indirect case parting(PendingClose)
  /// A Close of the edge's own waits for the frame boundary.
  indirect case closing(PendingClose)
  /// The receiver got a Close.
  case closed
  /// The receiver gets nothing more: its connection ends.
  case cut
}

/// What a lane made of the next bytes.
enum LaneStep {
  case pass(end: Int, message: PassedMessage?)
  case skip(end: Int)
  case keep
  case ping(end: Int)
  case pong(ControlBody, end: Int)
  case close(CloseCode, reason: ControlBody, forwarded: Bool, end: Int)
}
