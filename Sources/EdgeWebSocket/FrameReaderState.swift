extension FrameReader {
  /// Where in the stream of frames the reader stands (RFC 6455 §5.4).
  enum State: ~Copyable {
    /// Any header but a continuation's may come.
    case betweenMessages
    /// A continuation's or a control frame's header comes: the message has begun.
    case betweenFragments(Message)
    /// A data frame's payload comes.
    case insideFrame(Frame, of: Message)
    /// The peer's Close was read.
    case closed
    /// A rule was broken.
    case failed(FrameError, insideFrame: Bool)
  }

  /// A message that has begun. Here and below, what takes a byte stands behind what takes a word: a connection has two readers
  /// for all its life, and each is 16 bytes smaller so (`scripts/bench --parts memory`).
  struct Message {
    /// The payload lengths that its frames have announced, added up; never above the limit that held then.
    var announcedBytes: Int
    let kind: MessageKind
    /// Follows the text; nil where it is not checked.
    var text: UTF8Validator?
  }

  /// A data frame whose header was read.
  struct Frame {
    var bytesLeft: Int
    /// The key for the bytes that are left.
    var maskKey: MaskKey
    let isFinal: Bool
  }

  /// What the next byte belongs to.
  enum Expectation: Equatable {
    case header
    case payload
    case nothing
    case error(FrameError)
  }
}

extension FrameReader.State {
  /// Puts a data frame in its place.
  ///
  /// - Returns: whether it begins a message.
  /// - Throws: `continuationWithoutStart`, `messageInterrupted`, `messageTooBig`; the caller then calls `fail`.
  @inline(__always)  // See `FrameHeader.decode`.
  mutating func received(
    _ header: FrameHeader, maxMessageBytes: Int, checksUTF8: Bool
  ) throws(FrameError) -> Bool {
    let frame = FrameReader.Frame(
      bytesLeft: header.payloadLength, maskKey: header.maskKey ?? .zero, isFinal: header.isFinal)
    switch consume self {
    case .betweenMessages:
      self = .betweenMessages
      guard let kind = header.messageKind else { throw .continuationWithoutStart }
      guard header.payloadLength <= maxMessageBytes else { throw .messageTooBig }
      let text = checksUTF8 && kind == .text ? UTF8Validator() : nil
      self = .insideFrame(frame, of: .init(announcedBytes: header.payloadLength, kind: kind, text: text))
      return true
    case .betweenFragments(var message):
      self = .betweenFragments(message)
      guard header.opcode == .continuation else { throw .messageInterrupted }
      // Subtracted, not added: the limit may have been lowered since, and a sum could overflow.
      guard header.payloadLength <= maxMessageBytes - message.announcedBytes else { throw .messageTooBig }
      message.announcedBytes += header.payloadLength
      self = .insideFrame(frame, of: message)
      return false
    case .insideFrame: preconditionFailure("a header where payload is due")
    case .closed: preconditionFailure("a header after Close")
    case .failed: preconditionFailure("a header after a failure")
    }
  }

  /// Whether a frame with `header` may begin here.
  func accepts(_ header: FrameHeader, maxMessageBytes: Int) -> Bool {
    switch self {
    case .betweenMessages:
      header.opcode.isControl || (header.messageKind != nil && header.payloadLength <= maxMessageBytes)
    case .betweenFragments(let message):
      header.opcode.isControl
        || (header.opcode == .continuation && header.payloadLength <= maxMessageBytes - message.announcedBytes)
    case .insideFrame: false
    case .closed: false
    case .failed: false
    }
  }

  /// Takes what `bytes` holds of the current frame's payload from `offset` on.
  @inline(__always)  // See `FrameHeader.decode`.
  mutating func receivedPayload(_ bytes: Span<UInt8>, at offset: Int) throws(FrameError) -> FrameStep {
    switch consume self {
    case .insideFrame(var frame, of: var message):
      let count = min(frame.bytesLeft, bytes.count - offset)
      guard count > 0 || frame.bytesLeft == 0 else {
        self = .insideFrame(frame, of: message)
        return .needMore
      }
      let end = offset + count
      let endsFrame = count == frame.bytesLeft
      let endsMessage = endsFrame && frame.isFinal
      guard message.acceptsText(bytes, in: offset..<end, maskKey: frame.maskKey, endsMessage: endsMessage) else {
        self = .failed(.invalidUTF8, insideFrame: true)
        throw .invalidUTF8
      }
      if endsMessage {
        self = .betweenMessages
      } else if endsFrame {
        self = .betweenFragments(message)
      } else {
        frame.bytesLeft -= count
        frame.maskKey = frame.maskKey.advanced(by: count)
        self = .insideFrame(frame, of: message)
      }
      return .payload(end: end, endsFrame: endsFrame, endsMessage: endsMessage)
    case .betweenMessages: preconditionFailure("payload outside a message")
    case .betweenFragments: preconditionFailure("payload outside a frame")
    case .closed: preconditionFailure("payload after Close")
    case .failed: preconditionFailure("payload after a failure")
    }
  }

  /// Ends the direction in good order.
  mutating func receivedClose() {
    self = .closed
  }

  /// Ends the direction with an error.
  mutating func fail(_ error: FrameError) {
    self = .failed(error, insideFrame: !atFrameBoundary)
  }

  var expected: FrameReader.Expectation {
    switch self {
    case .betweenMessages: .header
    case .betweenFragments: .header
    case .insideFrame: .payload
    case .closed: .nothing
    case .failed(let error, insideFrame: _): .error(error)
    }
  }

  var isBetweenMessages: Bool {
    switch self {
    case .betweenMessages: true
    case .betweenFragments: false
    case .insideFrame: false
    case .closed: false
    case .failed: false
    }
  }

  var atFrameBoundary: Bool {
    switch self {
    case .betweenMessages: true
    case .betweenFragments: true
    case .insideFrame: false
    case .closed: true
    case .failed(_, let insideFrame): !insideFrame
    }
  }

  var message: FrameReader.Message? {
    switch self {
    case .betweenMessages: nil
    case .betweenFragments(let message): message
    case .insideFrame(_, of: let message): message
    case .closed: nil
    case .failed: nil
    }
  }

  var bytesLeftInFrame: Int {
    switch self {
    case .betweenMessages: 0
    case .betweenFragments: 0
    case .insideFrame(let frame, of: _): frame.bytesLeft
    case .closed: 0
    case .failed: 0
    }
  }
}

extension FrameReader.Message {
  /// Whether the text may go on so, and end so if it ends. True where it is not checked.
  fileprivate mutating func acceptsText(
    _ bytes: Span<UInt8>, in range: Range<Int>, maskKey: MaskKey, endsMessage: Bool
  ) -> Bool {
    guard var validator = text else { return true }
    guard validator.accept(bytes, in: range, maskKey: maskKey) else { return false }
    text = validator
    return !endsMessage || validator.isComplete
  }
}
