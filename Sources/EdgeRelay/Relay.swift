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
/// - a decision of the edge is its own close code to the client, and Close 1001 with its word to the worker.
///
/// A Close goes out at a frame boundary. Where the rest of a frame cannot come, the TCP connection ends instead.
public struct Relay: ~Copyable {
  private var fromClient: Lane
  private var fromWorker: Lane
  private var liveness: Liveness
  private let closeTimeout: Duration
  private var closeDeadline: Instant?

  /// What began the end, once something has.
  public private(set) var ending: RelayEnding?

  /// Makes a relay for a connection whose opening handshake has just succeeded on both sides.
  public init(_ limits: RelayLimits, now: Instant) {
    fromClient = Lane(
      reader: FrameReader(sender: .client, maxMessageBytes: limits.maxMessageBytes, checksUTF8: limits.checksUTF8))
    fromWorker = Lane(
      reader: FrameReader(sender: .worker, maxMessageBytes: limits.maxMessageBytes, checksUTF8: limits.checksUTF8))
    liveness = Liveness(limits, now: now)
    closeTimeout = limits.closeTimeout
  }

  // MARK: Bytes

  /// Reads one step of the client's bytes, which begin at `offset` of `bytes`.
  ///
  /// Call until it says `.keep`, or until `bytes` is used up.
  public mutating func nextFromClient(_ bytes: Span<UInt8>, at offset: Int, now: Instant) -> RelayStep {
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
      if message != nil { liveness.carriedMessage(now: now) }
      return .pass(end: end, message: message)
    case .skip(let end):
      return .skip(end: end)
    case .keep:
      return .keep
    case .ping(let end):
      return fromClient.forwardsControl ? .pass(end: end, message: nil) : .skip(end: end)
    case .pong(let payload, let end):
      let isOurs = liveness.receivedPong(payload)
      return fromClient.forwardsControl && !isOurs ? .pass(end: end, message: nil) : .skip(end: end)
    case .close(let code, let reason, let forwarded, let close):
      end(RelayEnding(initiator: .client, code: code, reason: reason), now: now)
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
      end(RelayEnding(initiator: .worker, code: .badGateway, reason: error.rawValue), now: now)
      fromWorker.fail(tellingReceiver: PendingClose(code: .badGateway, reason: workerBrokenWord))
      fromClient.requestClose(PendingClose(code: .protocolError, reason: error.rawValue))
      return .failed(error)
    }
    switch step {
    case .pass(let end, let message):
      if message != nil { liveness.carriedMessage(now: now) }
      return .pass(end: end, message: message)
    case .skip(let end):
      return .skip(end: end)
    case .keep:
      return .keep
    case .ping(let end):
      guard fromWorker.forwardsControl else { return .skip(end: end) }
      liveness.forwardedWorkerPing(now: now)
      return .pass(end: end, message: nil)
    case .pong(_, let end):
      return fromWorker.forwardsControl ? .pass(end: end, message: nil) : .skip(end: end)
    case .close(let code, let reason, let forwarded, let close):
      end(RelayEnding(initiator: .worker, code: code, reason: reason), now: now)
      return forwarded ? .pass(end: close, message: nil) : .skip(end: close)
    }
  }

  /// Notes that bytes came from the client: it is alive.
  public mutating func receivedClientBytes(now: Instant) {
    liveness.heardFromClient(now: now)
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
    end(RelayEnding(initiator: .worker, code: .badGateway, reason: workerLostWord), now: now)
    fromWorker.sourceEnded(tellingReceiver: PendingClose(code: .badGateway, reason: workerLostWord))
    fromClient.cut()
  }

  /// The edge decides to end the connection: the client gets `code` and `reason`, the worker 1001 and `reason`.
  ///
  /// A closing handshake that is under way goes on as it is.
  ///
  /// - Parameter reason: machine text of at most 123 bytes.
  public mutating func close(_ code: CloseCode, reason: String, initiator: Initiator = .edge, now: Instant) {
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
  public var isWorkerFinished: Bool { fromClient.isFinished(with: fromWorker) }

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
      fromWorker.cut()
      return .nothing
    }
    switch liveness.timePassed(now: now, canPing: fromWorker.isAtBoundary) {
    case .nothing:
      return .nothing
    case .ping:
      return .pingClient(liveness.sentPing(nonce: nonce(), now: now))
    case .idle:
      close(.goingAway, reason: "idle_timeout", now: now)
      return .nothing
    case .unresponsive:
      close(.timeout, reason: "pong_timeout", initiator: .network, now: now)
      return .nothing
    }
  }

  /// Reading from the client stops, for a reason that is not the client's: its silence does not count meanwhile.
  public mutating func pausedClientReading() {
    liveness.pause()
  }

  /// Reading from the client goes on.
  public mutating func resumedClientReading(now: Instant) {
    liveness.resume(now: now)
  }

  private mutating func end(_ ending: RelayEnding, now: Instant) {
    guard self.ending == nil else { return }
    self.ending = ending
    closeDeadline = now + closeTimeout
  }
}

/// What bounds a relay. Sizes in bytes.
public struct RelayLimits: Sendable {
  /// The largest message of either side, over all its fragments.
  public var maxMessageBytes: Int
  /// Whether the text of messages must be UTF-8 (RFC 6455 §8.1).
  public var checksUTF8: Bool
  /// How long a client may be silent before the edge pings it.
  public var pingInterval: Duration
  /// How long a pinged client may stay silent before it is closed with 4408.
  public var pingTimeout: Duration
  /// How long no message may pass before the connection is closed with 1001.
  public var idleTimeout: Duration
  /// How long a closing handshake may take.
  public var closeTimeout: Duration

  /// Makes a set of limits.
  public init(
    maxMessageBytes: Int, checksUTF8: Bool, pingInterval: Duration, pingTimeout: Duration, idleTimeout: Duration,
    closeTimeout: Duration
  ) {
    self.maxMessageBytes = maxMessageBytes
    self.checksUTF8 = checksUTF8
    self.pingInterval = pingInterval
    self.pingTimeout = pingTimeout
    self.idleTimeout = idleTimeout
    self.closeTimeout = closeTimeout
  }
}

/// What to do with the next bytes of one side. Each range begins at the offset that was asked about.
public enum RelayStep: Equatable, Sendable {
  /// Forward the bytes before `end` as they are; `message` tells what they completed.
  case pass(end: Int, message: PassedMessage?)
  /// Do not forward the bytes before `end`.
  case skip(end: Int)
  /// The rest is part of a header or control frame: keep it, and offer it again in front of what comes next.
  case keep
  /// The sender broke the protocol; nothing more of it is read, and Close frames are due.
  case failed(FrameError)
}

/// A whole message that has passed.
public struct PassedMessage: Equatable, Sendable {
  /// Whether it was text; else it was binary.
  public let isText: Bool
  /// Its payload over all fragments, in bytes.
  public let payloadBytes: Int
}

/// A Close frame that is due to one side.
public struct PendingClose: Equatable, Sendable {
  /// The close code.
  public let code: CloseCode
  /// Machine text of at most 123 bytes.
  public let reason: String
}

/// How a connection's end began: what the log and the metrics say of it.
public struct RelayEnding: Equatable, Sendable {
  /// Who began it.
  public let initiator: Initiator
  /// The close code that the client sent or was sent; 1006 where there was none.
  public let code: CloseCode
  /// The reason beside it.
  public let reason: String

  /// Makes an ending.
  public init(initiator: Initiator, code: CloseCode, reason: String) {
    self.initiator = initiator
    self.code = code
    self.reason = reason
  }
}

/// What a relay's timer asks for.
public enum RelayTimerAction: Equatable, Sendable {
  /// Nothing but to look at the Close frames that may have become due.
  case nothing
  /// Send the client a ping with these 8 bytes, in network order.
  case pingClient(UInt64)
}

private let workerLostWord = "worker_lost"
private let workerBrokenWord = "worker_protocol_error"
