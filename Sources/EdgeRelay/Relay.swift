public import EdgeCore
public import EdgePolicy
public import EdgeWebSocket

/// One WebSocket connection's life between a client and a worker, as a state machine without I/O.
///
/// Two lanes carry frames: from the client to the worker, and back. The caller offers each lane the bytes that
/// arrived, forwards what `RelayStep` says, then asks for the Close frames that are due. The rules of who learns what:
///
/// - a Close of either side reaches the other unchanged; what the client says until it gets a worker's Close reaches the worker,
///   within the limits that hold for it;
/// - a client that is lost is a TCP end to the worker;
/// - a worker that is lost or breaks the protocol is Close 1014 to the client; a client that has said Close itself, and now has
///   nobody to answer it, gets that Close back;
/// - a worker that breaks the protocol is told so by the code of its breach: 1002, 1007 or 1009;
/// - a client that breaks the protocol hears what the worker has to say to what came before, until the worker has answered the Close
///   that it gets, or a fifth of the time for that has passed; then the Close of its breach;
/// - a decision of the edge is its own close code to the client, and Close 1001 with its word to the worker.
///
/// A Close goes out at a frame boundary. Where the rest of a frame cannot come, the TCP connection ends instead.
public struct Relay: ~Copyable {
  private var fromClient: Lane
  private var fromWorker: Lane
  /// What holds the client's frames back; nil where no limit has been looked at yet.
  private var throttle: ClientThrottle?
  /// What the client is to be told; nil where it is told nothing.
  private var notices: ClientNotices?
  /// When the client's token is worth nothing any more, and when it is told so before.
  private var tokenEnds = Instant.distantFuture
  private var tokenWarns = Instant.distantFuture
  /// The end, once it has begun: an object, so that a connection that goes on holds no room for it.
  private var end: Shared<BegunEnd>?
  private var liveness: Liveness

  /// Makes a relay for a connection whose opening handshake has just succeeded on both sides.
  ///
  /// - Parameter scopes: what the client's messages are charged to.
  public init(_ limits: Shared<RelayLimits>, scopes: [MeteredScope] = [], now: Instant) {
    fromClient = Lane(
      reader: FrameReader(sender: .client, maxMessageBytes: limits.value.maxMessageBytes, checksUTF8: limits.value.checksUTF8))
    fromWorker = Lane(
      reader: FrameReader(sender: .worker, maxMessageBytes: limits.value.maxMessageBytes, checksUTF8: limits.value.checksUTF8))
    liveness = Liveness(limits, now: now)
    throttle = scopes.allSatisfy(\.isUnlimited) ? nil : ClientThrottle(scopes: scopes)
    notices = limits.value.givesNotice ? ClientNotices() : nil
  }

  private var limits: Shared<RelayLimits> { liveness.limits }

  /// What began the end, once something has.
  public var ending: RelayEnding? { end?.value.ending }

  /// Whether something has begun the end.
  public var isEnding: Bool { end != nil }

  /// Whether the client is told of limits and of its token.
  public var givesNotice: Bool { notices != nil }

  // MARK: Bytes

  /// Reads one step of the client's bytes, which begin at `offset` of `bytes`.
  ///
  /// Call until it says `.keep` or `.wait`, or until `bytes` is used up.
  public mutating func nextFromClient(_ bytes: Span<UInt8>, at offset: Int, now: Instant) -> RelayStep {
    liveness.heardFromClient(now: now)
    if fromClient.forwardsFrames, let step = heldBack(bytes, at: offset, now: now) { return step }
    let step: LaneStep
    do {
      step = try fromClient.next(bytes, at: offset)
    } catch {
      begin(RelayEnding(initiator: .client, code: error.closeCode, reason: error.rawValue), now: now)
      fromClient.fail(tellingReceiver: PendingClose(code: .goingAway, reason: error.rawValue))
      let close = PendingClose(code: error.closeCode, reason: error.rawValue)
      // A worker that could not be told has nothing more to say.
      if fromClient.isCut { fromWorker.requestClose(close) } else { fromWorker.requestCloseAfterLastWords(close) }
      return .failed(error)
    }
    switch step {
    case .pass(let end, let message):
      liveness.carriedData(now: now)
      return .pass(end: end, message: message)
    case .skip(let end):
      return .skip(end: end)
    case .keep:
      return .keep
    case .ping(let end):
      return fromClient.forwardsFrames ? .pass(end: end, message: nil) : .skip(end: end)
    case .pong(let body, let end):
      let isOwn = liveness.takeOwn(ControlPayload(body, in: bytes))
      if isOwn { throttle?.refund(.control) }
      return fromClient.forwardsFrames && !isOwn ? .pass(end: end, message: nil) : .skip(end: end)
    case .close(let code, let reason, let forwarded, let close):
      begin(RelayEnding(initiator: .client, code: code, reason: String(closeReason: reason, in: bytes)), now: now)
      return forwarded ? .pass(end: close, message: nil) : .skip(end: close)
    }
  }

  /// Reads one step of the worker's bytes, which begin at `offset` of `bytes`.
  ///
  /// Call until it says `.keep`, or until `bytes` is used up.
  public mutating func nextFromWorker(_ bytes: Span<UInt8>, at offset: Int, now: Instant) -> RelayStep {
    let step: LaneStep
    do {
      if let message = fromWorker.wholeMessage(bytes, at: offset) {
        step = fromWorker.passed(message)
      } else {
        step = try fromWorker.next(bytes, at: offset)
      }
    } catch {
      begin(RelayEnding(initiator: .worker, code: limits.value.closeCodes.workerLost, reason: error.rawValue), now: now)
      fromWorker.fail(tellingReceiver: PendingClose(code: limits.value.closeCodes.workerLost, reason: workerBrokenWord))
      fromClient.requestClose(PendingClose(code: error.closeCode, reason: error.rawValue))
      return .failed(error)
    }
    switch step {
    case .pass(let end, let message):
      liveness.carriedData(now: now)
      return .pass(end: end, message: message)
    case .skip(let end):
      return .skip(end: end)
    case .keep:
      return .keep
    case .ping(let end):
      guard fromWorker.forwardsFrames else { return .skip(end: end) }
      liveness.forwardedWorkerPing(now: now)
      return .pass(end: end, message: nil)
    case .pong(_, let end):
      return fromWorker.forwardsFrames ? .pass(end: end, message: nil) : .skip(end: end)
    case .close(let code, let reason, let forwarded, let close):
      let reason = String(closeReason: reason, in: bytes)
      begin(RelayEnding(initiator: .worker, code: code, reason: reason), keepsLimits: true, now: now)
      return forwarded ? .pass(end: close, message: nil) : .skip(end: close)
    }
  }

  // MARK: Events

  /// The client's TCP connection ended, or failed.
  public mutating func clientEnded(now: Instant) {
    begin(RelayEnding(initiator: .network, code: .abnormal, reason: ""), now: now)
    fromClient.sourceEnded(tellingReceiver: nil)
    fromWorker.cut()
  }

  /// The worker's connection ended, or failed.
  public mutating func workerEnded(now: Instant) {
    begin(RelayEnding(initiator: .worker, code: limits.value.closeCodes.workerLost, reason: workerLostWord), now: now)
    fromWorker.sourceEnded(
      tellingReceiver: clientClose ?? PendingClose(code: limits.value.closeCodes.workerLost, reason: workerLostWord))
    fromClient.cut()
  }

  /// The edge decides to end the connection: the client gets `code` and `reason`, the worker 1001 and `reason`.
  ///
  /// An end that has begun already goes on as it is.
  ///
  /// - Parameter reason: machine text of at most 123 bytes.
  public mutating func close(_ code: CloseCode, reason: String, initiator: Initiator = .edge, now: Instant) {
    guard end == nil else { return }
    begin(RelayEnding(initiator: initiator, code: code, reason: reason), now: now)
    fromWorker.requestClose(PendingClose(code: code, reason: reason))
    fromClient.requestClose(PendingClose(code: .goingAway, reason: reason))
  }

  /// Other limits hold from now on; an end that has begun goes on as it is. What was used of a limit stays used.
  ///
  /// - Parameter scopes: what the client's messages are charged to, but for what operators set for the connection alone, which stays.
  public mutating func adopt(_ limits: Shared<RelayLimits>, scopes: [MeteredScope], now: Instant) {
    guard end == nil else { return }
    liveness.limits = limits
    fromClient.adopt(limits.value)
    fromWorker.adopt(limits.value)
    notices = limits.value.givesNotice ? notices ?? ClientNotices() : nil
    if notices == nil { tokenWarns = .distantFuture }
    if throttle == nil, !scopes.allSatisfy(\.isUnlimited) { throttle = ClientThrottle() }
    throttle?.adopt(scopes)
    if throttle?.waitsUntil == nil { liveness.release(.throttled, now: now) }
  }

  /// A scope of the connection alone, such as that of throttle rules, has these limits from now on; nil ends it. Limits that hold
  /// already go on.
  ///
  /// - Returns: whether that changes anything.
  @discardableResult
  public mutating func setLimits(_ limits: MessageLimits?, of scope: LimitScope, now: Instant) -> Bool {
    guard throttle?.limits(of: scope) != limits else { return false }
    if throttle == nil, limits != nil { throttle = ClientThrottle() }
    throttle?.setLimits(limits, of: scope)
    if throttle?.waitsUntil == nil { liveness.release(.throttled, now: now) }
    return true
  }

  /// The client's token is worth nothing from `end` on: it is closed then, and told at `warning`, where it is told anything.
  public mutating func tokenEnds(at end: Instant, warning: Instant) {
    tokenEnds = end
    tokenWarns = notices == nil ? .distantFuture : warning
  }

  /// Tells the client of its token, where it is told anything.
  public mutating func tell(_ notice: TokenNotice) {
    notices?.add(notice)
  }

  /// The client has met a limit, as a step told.
  ///
  /// - Returns: whether that is news: it had kept within all limits for a while.
  public mutating func noteExcess(_ excess: LimitExcess, now: Instant) -> Bool {
    frameThrottle().note(excess, now: now)
  }

  /// Whether the client has met a limit a moment ago; it stays so while it is held back time and again.
  public func isBeyondLimit(at now: Instant) -> Bool {
    throttle?.isInExcess(at: now) ?? false
  }

  /// Until when nothing of the client's is read, since a limit makes it wait; nil where it is read.
  public var clientWaitsUntil: Instant? { throttle?.waitsUntil }

  /// The text of a message that the edge has to say to the client now, once; nil where there is none, or the worker's message is
  /// unfinished.
  public mutating func takeNoticeForClient(now: Instant) -> [UInt8]? {
    guard let notices, end == nil, fromWorker.isBetweenMessages else { return nil }
    return notices.take(now: now)
  }

  /// The Close frame that is due to the client now, once; nil where none is, or a frame towards the client is unfinished.
  public mutating func takeCloseForClient() -> PendingClose? {
    fromWorker.takeClose()
  }

  /// The Close frame that is due to the worker now, once; nil where none is, or a frame towards the worker is unfinished.
  public mutating func takeCloseForWorker() -> PendingClose? {
    fromClient.takeClose()
  }

  /// Whether the client's connection has nothing more to carry: flush what waits, then end it.
  public var isClientFinished: Bool { fromWorker.isFinished(with: fromClient) }

  /// Whether the worker's connection has nothing more to carry: flush what waits, then end it.
  ///
  /// It lasts as long as a Close for the client waits for the rest of a frame that the worker has begun.
  public var isWorkerFinished: Bool { fromClient.isFinished(with: fromWorker) && !fromWorker.owesClose }

  // MARK: Time

  /// When `timePassed` wants to be called next, at the latest.
  public var nextDeadline: Instant {
    let turn = throttle?.waitsUntil ?? .distantFuture
    if let end { return min(fromWorker.awaitsLastWords ? end.value.lastWordsDeadline : end.value.closeDeadline, turn) }
    return min(turn, min(liveness.nextDeadline, tokenEnds, tokenWarns), noticeDeadline)
  }

  /// When a notice is due that nothing but time holds back.
  private var noticeDeadline: Instant {
    guard let notices, fromWorker.isBetweenMessages else { return .distantFuture }
    return notices.nextDeadline
  }

  /// Does what is due at `now`.
  ///
  /// - Parameter nonce: what an edge's ping would bear: 8 bytes that a peer cannot guess.
  public mutating func timePassed(now: Instant, nonce: @autoclosure () -> UInt64) -> RelayTimerAction {
    if let end, now >= end.value.lastWordsDeadline { fromWorker.endLastWords() }
    if let end, now >= end.value.closeDeadline {
      throttle?.end()
      fromClient.cut()
      // A worker that never answered the client's Close is as good as gone: the client gets its own back, as RFC 6455 §5.5.1
      // has it.
      if let clientClose { fromWorker.sourceEnded(tellingReceiver: clientClose) } else { fromWorker.cut() }
      return .nothing
    }
    if let throttle, throttle.timePassed(now: now) {
      liveness.release(.throttled, now: now)
      return .resumeClient
    }
    guard end == nil else { return .nothing }
    if now >= tokenEnds {
      close(limits.value.closeCodes.auth, reason: "token_expired", now: now)
      return .nothing
    }
    if now >= tokenWarns {
      tokenWarns = .distantFuture
      notices?.add(.expiring(in: tokenEnds - now))
    }
    switch liveness.timePassed(now: now, canPing: fromWorker.isAtBoundary) {
    case .nothing:
      return .nothing
    case .ping:
      let nonce = nonce()
      liveness.sentPing(nonce: nonce, now: now)
      return .pingClient(nonce)
    case .idle:
      close(limits.value.closeCodes.idle, reason: "idle_timeout", now: now)
      return .nothing
    case .unresponsive:
      close(limits.value.closeCodes.timeout, reason: "pong_timeout", initiator: .network, now: now)
      return .nothing
    }
  }

  /// Reading from the client stops, for a reason that is not the client's: its silence does not count meanwhile.
  public mutating func pausedClientReading() {
    liveness.hold(.clientUnread)
  }

  /// Reading from the client goes on.
  public mutating func resumedClientReading(now: Instant) {
    liveness.release(.clientUnread, now: now)
  }

  /// Data waits for the client, and a ping would wait behind it: what counts meanwhile is its progress (`StallWatch`).
  public mutating func clientFellBehind() {
    liveness.hold(.clientBehind)
  }

  /// The client has taken all that waited for it.
  public mutating func clientCaughtUp(now: Instant) {
    liveness.release(.clientBehind, now: now)
  }

  /// What the client said when it closed; nil where it has not.
  private var clientClose: PendingClose? {
    guard fromClient.hasReadClose, let ending else { return nil }
    return PendingClose(code: ending.code, reason: ending.reason)
  }

  /// What becomes of the frame at `offset` before the lane reads it; nil lets the lane read it.
  private mutating func heldBack(_ bytes: Span<UInt8>, at offset: Int, now: Instant) -> RelayStep? {
    if limits.value.takesTokens, let step = tokenStep(bytes, at: offset, now: now) { return step }
    if let message = fromClient.wholeMessage(bytes, at: offset) {
      if let throttle, !throttle.passes(messageOf: message.payloadBytes, now: now),
        let step = obey(throttle.judge(messageOf: message.payloadBytes, now: now), bytes, at: offset, now: now)
      {
        return step
      }
      liveness.carriedData(now: now)
      return .pass(end: message.end, message: PassedMessage(message))
    }
    guard let header = fromClient.header(bytes, at: offset) else { return nil }
    switch header.opcode {
    case .text, .binary:
      guard let throttle else { return nil }
      return obey(throttle.judge(messageOf: header.payloadLength, now: now), bytes, at: offset, now: now)
    case .continuation:
      return fragment(header, bytes, at: offset, now: now)
    case .ping, .pong:
      // What is not whole yet is kept, and judged when it is.
      guard offset + header.headerLength + header.payloadLength <= bytes.count else { return nil }
      return obey(judge(.control, now: now), bytes, at: offset, now: now)
    case .close: return nil
    }
  }

  private mutating func fragment(
    _ header: FrameHeader, _ bytes: Span<UInt8>, at offset: Int, now: Instant
  ) -> RelayStep? {
    if header.payloadLength < FrameBudget.smallBytes,
      let step = obey(judge(.smallFragment, now: now), bytes, at: offset, now: now)
    {
      return step
    }
    if !fromClient.dropsMessage { throttle?.chargeFragment(of: header.payloadLength, now: now) }
    return nil
  }

  private mutating func tokenStep(_ bytes: Span<UInt8>, at offset: Int, now: Instant) -> RelayStep? {
    guard let header = fromClient.header(bytes, at: offset) else { return nil }
    switch TokenMessage.recognize(header, in: bytes, at: offset) {
    case .other: return nil
    case .undecided: return .keep
    case .token(let message):
      return obey(judge(.token, now: now), bytes, at: offset, now: now)
        ?? .token(message, end: message.payload.upperBound)
    }
  }

  /// The step that a verdict on the frame at `offset` asks for; nil lets the frame pass.
  private mutating func obey(
    _ verdict: ThrottleVerdict, _ bytes: Span<UInt8>, at offset: Int, now: Instant
  ) -> RelayStep? {
    switch verdict {
    case .pass: return nil
    case .wait(let excess):
      liveness.hold(.throttled)
      if let excess { notices?.add(excess, now: now) }
      return .wait(excess)
    case .drop(let excess):
      notices?.add(excess, now: now)
      if let message = fromClient.wholeMessage(bytes, at: offset) { return .drop(end: message.end, excess) }
      fromClient.dropMessage()
      // A frame that breaks a rule fails again where the caller sees it.
      guard case .skip(let end)? = try? fromClient.next(bytes, at: offset) else { return nil }
      return .drop(end: end, excess)
    case .close(let excess):
      let code = excess.scope == .frames ? limits.value.closeCodes.policy : limits.value.closeCodes.rate
      let seconds = max(1, excess.retryAfter.roundedUp(to: .seconds(1)))
      let reason = "rate_limited;retry_after=\(seconds)"
      close(code, reason: reason, now: now)
      // A client that the worker has closed before has its Close: nothing is left but to hear no more of it.
      if fromClient.forwardsFrames { fromClient.fail(tellingReceiver: PendingClose(code: .goingAway, reason: reason)) }
      return .refused(excess)
    }
  }

  /// Judges a frame that is more than a client which sends whole messages has to say: only now does it need a throttle.
  private mutating func judge(_ frame: FrameBudget.Frame, now: Instant) -> ThrottleVerdict {
    frameThrottle().judge(frame, maxMessageBytes: limits.value.maxMessageBytes, now: now)
  }

  private mutating func frameThrottle() -> ClientThrottle {
    let throttle = throttle ?? ClientThrottle()
    self.throttle = throttle
    return throttle
  }

  /// - Parameter keepsLimits: whether the client's frames still reach the worker.
  private mutating func begin(_ ending: RelayEnding, keepsLimits: Bool = false, now: Instant) {
    if !keepsLimits { throttle?.end() }
    guard end == nil else { return }
    end = Shared(BegunEnd(ending, now: now, closeTimeout: limits.value.closeTimeout))
  }
}

/// An end that has begun, and how long it may take.
private struct BegunEnd {
  let ending: RelayEnding
  /// When a client that broke the protocol is told so, at the latest.
  let lastWordsDeadline: Instant
  /// When both sides must be through with it.
  let closeDeadline: Instant

  init(_ ending: RelayEnding, now: Instant, closeTimeout: Duration) {
    self.ending = ending
    lastWordsDeadline = now + closeTimeout / 5
    closeDeadline = now + closeTimeout
  }
}

private let workerLostWord = "worker_lost"
private let workerBrokenWord = "worker_protocol_error"
