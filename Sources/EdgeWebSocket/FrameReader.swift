/// What `FrameReader.next` found at an offset. Places are offsets into the span that was handed in.
public enum FrameStep: Hashable, Sendable {
  /// The bytes from the offset on are an unfinished header or control frame, or there are none.
  /// Keep them and offer them again in front of the next bytes: at most `FrameReader.maxKeptBytes`.
  case needMore
  /// A data frame's header lies in `[offset, end)`. Nothing of its payload was looked at yet.
  case data(FrameHeader, startsMessage: Bool, end: Int)
  /// Payload of the current data frame lies in `[offset, end)`, checked, still masked: it may go on as it is.
  ///
  /// An empty frame has one such step too, with `end` at the offset.
  case payload(end: Int, endsFrame: Bool, endsMessage: Bool)
  /// A whole ping lies in `[offset, end)`.
  case ping(ControlBody, end: Int)
  /// A whole pong lies in `[offset, end)`.
  case pong(ControlBody, end: Int)
  /// A whole, well-formed Close lies in `[offset, end)`; the code is nil when it bore none (RFC 6455 §7.1.5).
  case close(CloseCode?, reason: ControlBody, end: Int)
  /// The Close was read before. Whatever follows it is ignored, unexamined (RFC 6455 §5.5.1).
  case afterClose
}

/// A message in a single frame, header and payload in one piece, checked.
public struct WholeMessage: Hashable, Sendable {
  /// Text or binary.
  public let kind: MessageKind
  /// The size of its payload, in bytes.
  public let payloadBytes: Int
  /// Where the frame ends in the span that was read.
  public let end: Int
}

/// Reads the frames of one direction in place: checks every rule of RFC 6455 §5, copies nothing, allocates nothing.
///
/// Offer the bytes as they come, with what `needMore` left in front; call `next` with each step's `end` as the next
/// offset until `needMore` or `afterClose`. After a throw, every further call throws the same error.
public struct FrameReader: ~Copyable, Sendable {
  /// The most bytes of payload in one message, over all its frames, as announced. A change counts from the next frame.
  public var maxMessageBytes: Int
  private var state = State.betweenMessages
  /// Who sends the frames.
  public let sender: FrameSender
  /// Whether text must be UTF-8 (RFC 6455 §8.1). A change counts from the next message.
  public var checksUTF8: Bool

  /// The most bytes that `needMore` can ask to keep: a masked control frame that lacks its last byte.
  public static let maxKeptBytes = 2 + 4 + FrameHeader.maxShortLength - 1

  /// Begins a direction, with the first frame's first byte next. `maxMessageBytes` is not negative.
  public init(sender: FrameSender, maxMessageBytes: Int, checksUTF8: Bool) {
    precondition(maxMessageBytes >= 0)
    self.sender = sender
    self.maxMessageBytes = maxMessageBytes
    self.checksUTF8 = checksUTF8
  }

  /// Takes the step at `offset`, which is at most `bytes.count`.
  ///
  /// - Parameter bytes: what was kept, then what came since; everything before `offset` is done with.
  /// - Throws: `FrameError`; close the sender's connection with its `closeCode`. Nothing at or behind `offset` may go on.
  public mutating func next(_ bytes: Span<UInt8>, at offset: Int) throws(FrameError) -> FrameStep {
    precondition(offset >= 0 && offset <= bytes.count)
    switch state.expected {
    case .payload:
      return try state.receivedPayload(bytes, at: offset)
    case .header:
      do {
        guard let header = try FrameHeader.decode(bytes, at: offset, from: sender) else { return .needMore }
        let payloadStart = offset + header.headerLength
        guard header.opcode.isControl else {
          let startsMessage = try state.received(header, maxMessageBytes: maxMessageBytes, checksUTF8: checksUTF8)
          return .data(header, startsMessage: startsMessage, end: payloadStart)
        }
        let end = payloadStart + header.payloadLength
        guard end <= bytes.count else { return .needMore }
        let body = ControlBody(range: payloadStart..<end, maskKey: header.maskKey)
        return try received(header.opcode, body, in: bytes)
      } catch {
        state.fail(error)
        throw error
      }
    case .nothing:
      return .afterClose
    case .error(let error):
      throw error
    }
  }

  /// The whole message in a single frame that lies at `offset`, if one does: the common case, in one look and without a
  /// change of state. With it, a frame of 128 bytes costs half the instructions of two steps of `next`.
  ///
  /// - Returns: nil where anything else lies there, broken rules among it: `next` tells what.
  public func wholeMessage(in bytes: Span<UInt8>, at offset: Int) -> WholeMessage? {
    guard state.isBetweenMessages, let header = try? FrameHeader.decode(bytes, at: offset, from: sender) else { return nil }
    let start = offset + header.headerLength
    guard header.isFinal, let kind = header.messageKind, header.payloadLength <= min(maxMessageBytes, bytes.count - start)
    else { return nil }
    let end = start + header.payloadLength
    if checksUTF8, kind == .text {
      var text = UTF8Validator()
      guard text.accept(bytes, in: start..<end, maskKey: header.maskKey ?? .zero), text.isComplete else { return nil }
    }
    return WholeMessage(kind: kind, payloadBytes: header.payloadLength, end: end)
  }

  /// The header of the frame that begins at `offset`, where one lies there whole and breaks no rule: `next` takes it, its place in
  /// the message and its announced size included. Nil where anything else lies there.
  public func header(in bytes: Span<UInt8>, at offset: Int) -> FrameHeader? {
    guard state.atFrameBoundary, let header = try? FrameHeader.decode(bytes, at: offset, from: sender),
      state.accepts(header, maxMessageBytes: maxMessageBytes)
    else { return nil }
    return header
  }

  /// Whether the steps so far end between two frames: only there may a frame of the edge's own be put in.
  public var atFrameBoundary: Bool { state.atFrameBoundary }

  /// Whether a message has begun and not ended. Control frames, but no other message, may still be put in at a boundary.
  public var isInsideMessage: Bool { state.message != nil }

  /// The kind of the message that has begun and not ended; nil between messages.
  public var currentMessageKind: MessageKind? { state.message?.kind }

  /// How many bytes of the current data frame's payload are still to come; 0 at a boundary.
  public var bytesLeftInFrame: Int { state.bytesLeftInFrame }

  /// Whether the peer's Close was read.
  public var hasReadClose: Bool { state.expected == .nothing }

  /// Judges a whole control frame.
  private mutating func received(
    _ opcode: Opcode, _ body: ControlBody, in bytes: Span<UInt8>
  ) throws(FrameError) -> FrameStep {
    switch opcode {
    case .ping:
      return .ping(body, end: body.range.upperBound)
    case .pong:
      return .pong(body, end: body.range.upperBound)
    case .close:
      let (code, reason) = try body.closeCodeAndReason(in: bytes)
      state.receivedClose()
      return .close(code, reason: reason, end: body.range.upperBound)
    case .continuation, .text, .binary:
      preconditionFailure("not a control frame")
    }
  }
}

extension ControlBody {
  /// Reads this as the payload of a Close frame (RFC 6455 §5.5.1): nothing, or a code and a reason in UTF-8.
  fileprivate func closeCodeAndReason(in bytes: Span<UInt8>) throws(FrameError) -> (CloseCode?, ControlBody) {
    guard !range.isEmpty else { return (nil, self) }
    guard range.count >= 2 else { throw .closePayloadTooShort }
    let key = maskKey ?? .zero
    let high = bytes[range.lowerBound] ^ key.byte(at: 0)
    let low = bytes[range.lowerBound + 1] ^ key.byte(at: 1)
    let code = CloseCode(rawValue: UInt16(high) << 8 | UInt16(low))
    guard code.isValidOnWire else { throw .closeCodeInvalid }
    let reason = ControlBody(range: range.dropFirst(2), maskKey: maskKey?.advanced(by: 2))
    var text = UTF8Validator()
    guard text.accept(bytes, in: reason.range, maskKey: reason.maskKey ?? .zero), text.isComplete else {
      throw .closeReasonInvalid
    }
    return (code, reason)
  }
}
