public import EdgeCore
public import EdgeWebSocket

/// One WebSocket connection's life between a client and a worker, as a state machine without I/O.
///
/// Two lanes carry frames: from the client to the worker, and back. The caller offers each lane the bytes that
/// arrived, forwards what `RelayStep` says, then asks for the Close frames that are due. The rules of who learns what:
///
/// - a Close of either side reaches the other unchanged;
/// - a client that is lost is a TCP end to the worker;
/// - a worker that is lost or breaks the protocol is Close 1014 to the client (1002 to a worker that is still there);
///   a client that has said Close itself, and now has nobody to answer it, gets that Close back;
/// - a decision of the edge is its own close code to the client, and Close 1001 with its word to the worker.
///
/// A Close goes out at a frame boundary. Where the rest of a frame cannot come, the TCP connection ends instead.
public struct Relay: ~Copyable {
  private var fromClient: Lane
  private var fromWorker: Lane
  private var liveness: Liveness
  private let limits: Shared<RelayLimits>
  private var closeDeadline: Instant?

  /// What began the end, once something has.
  public private(set) var ending: RelayEnding?

  /// Makes a relay for a connection whose opening handshake has just succeeded on both sides.
  public init(_ limits: Shared<RelayLimits>, now: Instant) {
    fromClient = Lane(
      reader: FrameReader(sender: .client, maxMessageBytes: limits.value.maxMessageBytes, checksUTF8: limits.value.checksUTF8))
    fromWorker = Lane(
      reader: FrameReader(sender: .worker, maxMessageBytes: limits.value.maxMessageBytes, checksUTF8: limits.value.checksUTF8))
    liveness = Liveness(limits, now: now)
    self.limits = limits
  }

  // MARK: Bytes

  /// Reads one step of the client's bytes, which begin at `offset` of `bytes`.
  ///
  /// Call until it says `.keep`, or until `bytes` is used up.
  public mutating func nextFromClient(_ bytes: Span<UInt8>, at offset: Int, now: Instant) -> RelayStep {
    liveness.heardFromClient(now: now)
    let step: LaneStep
    do {
      step = try fromClient.next(bytes, at: offset)
    } catch {
      end(RelayEnding(initiator: .client, code: error.closeCode, reason: error.rawValue), now: now)
      fromClient.fail(tellingReceiver: PendingClose(code: .goingAway, reason: error.rawValue))
      fromWorker.requestClose(PendingClose(code: error.closeCode, reason: error.rawValue))
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
      let isOwn = liveness.isOwn(ControlPayload(body, in: bytes))
      return fromClient.forwardsFrames && !isOwn ? .pass(end: end, message: nil) : .skip(end: end)
    case .close(let code, let reason, let forwarded, let close):
      end(RelayEnding(initiator: .client, code: code, reason: String(closeReason: reason, in: bytes)), now: now)
      return forwarded ? .pass(end: close, message: nil) : .skip(end: close)
    }
  }

  /// Reads one step of the worker's bytes, which begin at `offset` of `bytes`.
  ///
  /// Call until it says `.keep`, or until `bytes` is used up.
  public mutating func nextFromWorker(_ bytes: Span<UInt8>, at offset: Int, now: Instant) -> RelayStep {
    let step: LaneStep
    do {
      step = try fromWorker.next(bytes, at: offset)
    } catch {
      end(RelayEnding(initiator: .worker, code: limits.value.closeCodes.workerLost, reason: error.rawValue), now: now)
      fromWorker.fail(tellingReceiver: PendingClose(code: limits.value.closeCodes.workerLost, reason: workerBrokenWord))
      fromClient.requestClose(PendingClose(code: .protocolError, reason: error.rawValue))
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
      end(RelayEnding(initiator: .worker, code: code, reason: String(closeReason: reason, in: bytes)), now: now)
      return forwarded ? .pass(end: close, message: nil) : .skip(end: close)
    }
  }

  // MARK: Events

  /// The client's TCP connection ended, or failed.
  public mutating func clientEnded(now: Instant) {
    end(RelayEnding(initiator: .network, code: .abnormal, reason: ""), now: now)
    fromClient.sourceEnded(tellingReceiver: nil)
    fromWorker.cut()
  }

  /// The worker's connection ended, or failed.
  public mutating func workerEnded(now: Instant) {
    end(RelayEnding(initiator: .worker, code: limits.value.closeCodes.workerLost, reason: workerLostWord), now: now)
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
    guard ending == nil else { return }
    end(RelayEnding(initiator: initiator, code: code, reason: reason), now: now)
    fromWorker.requestClose(PendingClose(code: code, reason: reason))
    fromClient.requestClose(PendingClose(code: .goingAway, reason: reason))
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
    closeDeadline ?? liveness.nextDeadline
  }

  /// Does what is due at `now`.
  ///
  /// - Parameter nonce: what an edge's ping would bear: 8 bytes that a peer cannot guess.
  public mutating func timePassed(now: Instant, nonce: @autoclosure () -> UInt64) -> RelayTimerAction {
    if let closeDeadline {
      guard now >= closeDeadline else { return .nothing }
      fromClient.cut()
      // A worker that never answered the client's Close is as good as gone: the client gets its own back, as RFC 6455 §5.5.1
      // has it.
      if let clientClose { fromWorker.sourceEnded(tellingReceiver: clientClose) } else { fromWorker.cut() }
      return .nothing
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

  private mutating func end(_ ending: RelayEnding, now: Instant) {
    guard self.ending == nil else { return }
    self.ending = ending
    closeDeadline = now + limits.value.closeTimeout
  }
}

private let workerLostWord = "worker_lost"
private let workerBrokenWord = "worker_protocol_error"
