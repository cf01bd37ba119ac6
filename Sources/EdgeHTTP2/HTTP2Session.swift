public import EdgeCore
public import EdgeHTTP
public import EdgePolicy

/// The server's side of one HTTP/2 connection, in memory: bytes come in, events and bytes go out (RFC 9113, RFC 8441).
///
/// Subclass it and override the events. They are called from within `receive` and `takeOutput`, where everything may be called but
/// these two. What is wrong with a stream ends the stream; what is wrong with the connection ends that, after a GOAWAY in the output.
open class HTTP2Session {
  private let handle: SessionHandle
  private let headLimits: HeadLimits
  /// The head that comes in now; there is never more than one.
  private var head: HeadInProgress?
  private var budget: FloodBudget?
  private let maxContinuations: Int
  /// In how many further frames the last head has gone on.
  private var continuations = 0
  private var scanner = FrameScanner()
  private var pastStreams = PastStreams()
  /// What the client has too much of.
  private var excess: FloodBudget.Kind?
  /// The malformed stream whose last frame of data is being framed.
  private var malformedStream: StreamNumber?
  /// How many frames were ready to be sent when the library got what it reads now.
  private var queuedFrames = 0
  private var now = Instant.distantFuture
  private var state = State.greeting

  /// Begins a connection: its SETTINGS are in the output at once.
  ///
  /// - Throws: `HTTP2Error.resources` when there is no memory.
  public init(headLimits: HeadLimits = HeadLimits(), floods: FloodLimits = .usual) throws(HTTP2Error) {
    self.headLimits = headLimits
    budget = floods.budget
    maxContinuations = floods.maxContinuations
    handle = try SessionHandle(maxHeadBytes: headLimits.maxHeadBytes, floods: floods)
    handle.deliver(to: self)
  }

  /// Whether the client has said that it speaks HTTP/2: its SETTINGS have come.
  public final var isGreeted: Bool {
    if case .greeting = state { false } else { true }
  }

  /// Whether part of a head has come, whose end is due.
  public final var isReadingHead: Bool { head != nil }

  /// Whether everything is said: nothing that comes is of use, and nothing is left to send.
  public final var isOver: Bool { handle.isOver }

  /// Whether `takeOutput` has something to give, streams with closed windows aside.
  public final var hasOutput: Bool { handle.hasOutput }

  // MARK: Bytes

  /// Reads what the client sent.
  public final func receive(_ bytes: Span<UInt8>, now: Instant) {
    if case .ended = state { return }
    self.now = now
    var offset = 0
    var readCount = 0
    // A frame is judged when the library has all that came before it, so that it makes no difference how bytes are cut.
    while let frame = scanner.next(in: bytes, from: &offset) {
      let start = max(readCount, offset - frame.byteCount)
      guard read(bytes.extracting(readCount..<start)), judge(frame) else { return }
      readCount = start
    }
    _ = read(bytes.extracting(readCount...))
  }

  /// - Parameter bytes: of one frame, or a part of one.
  /// - Returns: whether the connection goes on.
  private func read(_ bytes: Span<UInt8>) -> Bool {
    guard !bytes.isEmpty else { return true }
    queuedFrames = handle.queuedFrames
    switch handle.receive(bytes) {
    case .read: break
    case .stopped: if let excess { flood(excess) }
    case .answersWait: flood(.unreadAnswer)
    case .failed: end(.protocolError)
    }
    if case .ended = state { return false }
    return true
  }

  /// Adds what is to be sent, frame by frame, until `bytes` has at least `limit` bytes or nothing is left.
  public final func takeOutput(into bytes: inout [UInt8], limit: Int) {
    handle.takeOutput(into: &bytes, limit: limit)
  }

  // MARK: Answers

  /// Sends the head of an answer.
  ///
  /// - Parameter rest: what comes behind it; the body's bytes are asked for by `takeBody`.
  public final func send(_ fields: StreamFields, on stream: StreamNumber, _ rest: StreamRest) {
    handle.send(fields, on: stream, rest)
  }

  /// There is something for `takeBody` to take again, or the body has ended.
  public final func bodyGoesOn(on stream: StreamNumber) {
    handle.resume(stream)
  }

  /// Ends a stream at once; what was to be sent on it is dropped.
  public final func reset(_ stream: StreamNumber, _ code: StreamError) {
    handle.reset(stream, code.rawValue)
  }

  /// Lets the client send `count` bytes more on a stream, and on the connection: as many were used.
  public final func consumed(_ count: Int, on stream: StreamNumber) {
    handle.consumed(count, on: stream)
  }

  /// Lets the client send `count` bytes more on the connection: a stream that is gone had them.
  public final func consumed(_ count: Int) {
    handle.consumed(count, on: nil)
  }

  // MARK: The end

  /// Announces the end: the client is to open no more streams, and those on their way are still served (RFC 9113 §6.8).
  public final func announceEnd() {
    handle.announceEnd()
  }

  /// Takes no more streams; those that there are go on.
  public final func refuseStreams() {
    handle.refuseStreams()
  }

  /// Ends the connection, once what is in the output has been sent.
  public final func end(_ code: StreamError) {
    state = .ended
    head = nil
    handle.end(code.rawValue)
  }

  // MARK: Events

  /// A request has come, on a new stream.
  ///
  /// - Parameter isWhole: whether the client's side of the stream has ended with it.
  open func received(_ head: RequestHead, on stream: StreamNumber, isWhole: Bool) {}

  /// A request has come that cannot be served, on a new stream.
  open func received(_ error: HTTPParseError, on stream: StreamNumber, isWhole: Bool) {}

  /// Part of a body has come. The client may send as much again once `consumed` has said so.
  open func received(_ bytes: Span<UInt8>, on stream: StreamNumber) {}

  /// The client's side of a stream has ended.
  open func receivedEnd(of stream: StreamNumber) {}

  /// What came behind a body is wrong.
  open func receivedBadTrailers(_ error: HTTPParseError, on stream: StreamNumber) {}

  /// The end of our side of a stream is in the output.
  open func sentEnd(of stream: StreamNumber) {}

  /// A stream is gone: both sides have ended, or either has reset it, or the connection ends.
  open func closed(_ stream: StreamNumber) {}

  /// Fills `room` with what there is to send on a stream.
  open func takeBody(of stream: StreamNumber, into room: inout MutableSpan<UInt8>) -> BodyPart { .later }

  /// The client floods the connection, which ends.
  open func flooded(_ kind: FloodBudget.Kind) {}
}

/// The number that names a stream on its connection (RFC 9113 §5.1.1).
public typealias StreamNumber = Int32

/// What comes behind the head of an answer.
public enum StreamRest: Sendable {
  /// Nothing: our side of the stream ends with it.
  case nothing
  /// A body.
  case body
  /// Another head: this was an interim answer.
  case head
}

/// What `takeBody` took.
public enum BodyPart: Hashable, Sendable {
  /// That many bytes, and there may be more.
  case bytes(Int)
  /// That many bytes, with which our side of the stream ends.
  case last(Int)
  /// The same on a stream whose request was malformed: it ends as an error of the client's (RFC 9113 §8.1.1).
  case lastOfMalformed(Int)
  /// Nothing: `bodyGoesOn` will tell.
  case later
}

/// Why a stream or a connection ends (RFC 9113 §7).
public enum StreamError: UInt32, Hashable, Sendable {
  /// Nothing is wrong.
  case none = 0
  /// The other side has broken the protocol.
  case protocolError = 1
  /// Something of ours went wrong, or of a worker's.
  case internalError = 2
  /// The other side has opened a window further than windows go.
  case flowControlError = 3
  /// The other side goes on with a stream that it has ended.
  case streamClosed = 5
  /// Nobody wants it any more.
  case cancel = 8
  /// The other side makes more work than it may.
  case enhanceYourCalm = 11
}

/// Why a session cannot be.
public enum HTTP2Error: Error, Hashable, Sendable {
  /// There is no memory.
  case resources
}

/// A head of which some fields have come. An object, so that a connection without one does not hold its room.
private final class HeadInProgress {
  let stream: StreamNumber
  var reader: StreamHeadReader

  init(stream: StreamNumber, limits: HeadLimits) {
    self.stream = stream
    reader = StreamHeadReader(limits: limits)
  }
}

private enum State {
  /// The client's preface is awaited.
  case greeting
  case open
  case ended
}

// MARK: From the library

extension HTTP2Session {
  final func receivedSettings() {
    if case .greeting = state { state = .open }
    // It is acknowledged. What else the library has to say to it are resets of streams whose windows it has widened beyond all bounds,
    // which is an error of the connection (RFC 9113 §6.9.2).
    if handle.queuedFrames > queuedFrames + 1 { end(.flowControlError) }
  }

  final func beganHead(on stream: StreamNumber) {
    head = HeadInProgress(stream: stream, limits: headLimits)
  }

  /// The library reads the rest of a head whose stream is gone, and tells nothing of it.
  final func streamClosed(_ stream: StreamNumber, clientHasEnded: Bool) {
    if clientHasEnded { pastStreams.ended(stream) }
    if stream == head?.stream { head = nil }
    closed(stream)
  }

  final func receivedField(name: Span<UInt8>, value: Span<UInt8>) {
    head?.reader.receive(name: name, value: value)
  }

  final func endedHead(on stream: StreamNumber, isRequest: Bool, isEnded: Bool) -> Bool {
    guard let reader = head.take()?.reader else { return true }
    if reader.isTooLarge, !charge(.headerTable) { return false }
    do throws(HTTPParseError) {
      if isRequest {
        received(try reader.finish(isEnded: isEnded), on: stream, isWhole: isEnded)
      } else {
        try reader.finishTrailers()
        guard isEnded else { throw .pseudoField }
        receivedEnd(of: stream)
      }
    } catch {
      if isRequest { received(error, on: stream, isWhole: isEnded) } else { receivedBadTrailers(error, on: stream) }
    }
    return true
  }

  final func willEndMalformed(_ stream: StreamNumber) {
    malformedStream = stream
  }

  final func sentData(on stream: StreamNumber) {
    budget?.sentData()
    guard stream == malformedStream else { return }
    malformedStream = nil
    reset(stream, .protocolError)
  }

  /// A stream was reset: it counts if the client is to blame.
  final func sentReset(_ code: UInt32) {
    switch StreamError(rawValue: code) {
    case .none?, .internalError?, .cancel?: break
    case .protocolError?, .flowControlError?, .streamClosed?, .enhanceYourCalm?, nil:
      if !charge(.resetProvoked) { flood(.resetProvoked) }
    }
  }

  /// Judges a frame before any of it is used.
  ///
  /// - Returns: whether the connection goes on.
  private func judge(_ frame: FrameStart) -> Bool {
    if let kind = frame.floodKind, !charge(kind) {
      flood(kind)
      return false
    }
    guard !isHeadTooLong(with: frame) else {
      flood(.continuation)
      return false
    }
    if let flaw = frame.isMisplaced ? .protocolError : pastStreams.flaw(of: frame) {
      end(flaw)
      return false
    }
    return true
  }

  /// Whether a head goes on in more frames than it may (CVE-2024-28182).
  private func isHeadTooLong(with frame: FrameStart) -> Bool {
    switch frame.role {
    case .head: continuations = 0
    case .restOfHead: continuations += 1
    case .data, .reset, .other: break
    }
    return continuations > maxContinuations
  }

  private func charge(_ kind: FloodBudget.Kind) -> Bool {
    guard let isWithin = budget?.charge(kind, now: now), !isWithin else { return true }
    excess = kind
    return false
  }

  private func flood(_ kind: FloodBudget.Kind) {
    if case .ended = state { return }
    end(.enhanceYourCalm)
    flooded(kind)
  }
}
