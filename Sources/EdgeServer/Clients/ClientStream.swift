import EdgeConfig
import EdgeCore
import EdgeHTTP
import EdgeHTTP2
import EdgeIO
import EdgePolicy
import EdgeTLS
import EdgeTelemetry

/// One stream of HTTP/2 as a client: a request, and perhaps the WebSocket that it becomes.
///
/// The stream's windows are its backpressure. The client may send on as its bytes are used, so that whoever reads slowly holds this
/// stream alone; and what the client does not take waits here.
final class ClientStream: Client {
  let number: StreamNumber
  private let session: ClientSession
  private let connection: ClientConnection
  private let place: StreamPlace
  private var length: AnnouncedLength
  /// Bytes received and not used yet: at most a window.
  private var kept: [UInt8] = []
  private var outgoing = ByteQueue()
  /// How much of that there is. A number of its own, since to ask the queue takes a check for exclusive access, and an echo would have
  /// seven of them (`scripts/bench --parts h2`).
  private var waitingCount = 0
  private var takenBytes: UInt64 = 0
  private var reportedWaiting: UInt32 = 0
  private var isPaused = false
  /// Something of what was sent has waited: that it is gone will be told.
  private var awaitsDrain = false
  /// The client has ended its side.
  private var hasEnded: Bool
  private var hasToldEnd: Bool
  /// Our side ends once what waits has been taken.
  private var isFinished = false
  private var hasSentEnd = false
  /// Whether the request is malformed: the stream ends as the client's error once that is answered (RFC 9113 §8.1.1).
  private var isMalformed = false
  /// Whether the client's end of a WebSocket is awaited, after ours.
  private var awaitsEnd = false

  /// - Parameter isWhole: whether the client's side ended with the head.
  init(
    _ number: StreamNumber, of session: ClientSession, on connection: ClientConnection, length: AnnouncedLength, isWhole: Bool,
    place: StreamPlace, context: ReactorContext
  ) {
    self.number = number
    self.session = session
    self.connection = connection
    self.length = length
    self.place = place
    hasEnded = isWhole
    hasToldEnd = isWhole
    super.init(
      peer: connection.peer, listener: connection.listener, phase: .readingHead(deadline: .distantFuture), context: context)
    context.reactor.add(self)
    context.connections[id] = self
  }

  override var clientProtocol: ClientProtocol { .http2 }

  override var tlsVersion: TLSVersion? { connection.tlsVersion }

  override var certificate: ClientCertificate? { connection.certificate }

  override var overload: Overload? {
    if case .none = place { .edgeIsFull } else { connection.overload }
  }

  /// A WebSocket with a place of its own is charged by that: by its connection's too, its messages would count twice.
  override var meters: [HeldMeter] { session.usesConnectionPlace(number) ? connection.meters : [] }

  override func beginAttempt() -> Bool { connection.beginAttempt() }

  override func usesConnectionPlace() -> Bool { session.takeConnectionPlace(for: number) }

  override var isEnding: Bool { hasEnded }

  override var waitingBytes: Int { waitingCount }

  override var sentBytes: UInt64 { takenBytes }

  // MARK: Sending

  @discardableResult
  override func send(_ bytes: Span<UInt8>) -> Bool {
    guard isAdded, !isFinished else { return true }
    // What was said before in this turn goes first, which shows whether the client takes it.
    if waitingCount > 0 { session.flush() }
    let keepsUp = waitingCount == 0 && !session.isHeldUp
    outgoing.append(bytes)
    waitingCount += bytes.count
    session.bodyGoesOn(on: number)
    if keepsUp, session.hasManyStreams, tunnel != nil {
      session.flushLater(self)
      return true
    }
    session.flush()
    guard waitingCount > 0 else { return true }
    // It waits for a window, for the connection, or for the end of what is being read now, which is no sign of slowness.
    awaitsDrain = true
    reportWaiting()
    return keepsUp && session.isReading
  }

  override func send(_ head: ResponseHead, _ rest: ResponseRest) {
    guard isAdded, !isFinished else { return }
    let fields = StreamFields(head)
    switch rest {
    case .nothing:
      isFinished = true
      session.send(fields, on: number, .nothing)
    case .more: session.send(fields, on: number, head.isInterim ? .head : .body)
    case .body(let body):
      outgoing.append(body)
      waitingCount += body.count
      awaitsDrain = true
      session.send(fields, on: number, .body)
    }
    session.flush()
  }

  /// Gives the library what it asks for, when it frames it.
  func takeBody(into room: inout MutableSpan<UInt8>) -> BodyPart {
    let count = min(room.count, waitingCount)
    if count > 0 {
      outgoing.take(count, into: &room)
      waitingCount -= count
      takenBytes += UInt64(count)
      if waitingCount == 0, awaitsDrain { session.drained(self) }
      if isFinished, case .lingering = phase { setLingering() }
    }
    if isFinished, waitingCount == 0 { return isMalformed ? .lastOfMalformed(count) : .last(count) }
    return count > 0 ? .bytes(count) : .later
  }

  /// All that waited is on its way.
  func drained() {
    guard isAdded, waitingCount == 0 else { return }
    awaitsDrain = false
    reportWaiting()
    if case .talking(let conversation) = phase { conversation.clientDrained() }
  }

  /// The turn is over in which something was sent: what of it is still here waits for the client.
  func turnEnded() {
    guard isAdded, waitingCount > 0, !awaitsDrain else { return }
    awaitsDrain = true
    reportWaiting()
    tunnel?.clientFellBehind()
  }

  private func reportWaiting() {
    let waiting = UInt32(clamping: waitingCount)
    guard waiting != reportedWaiting else { return }
    context.metrics.sendQueueChanged(by: Int(waiting) - Int(reportedWaiting))
    reportedWaiting = waiting
  }

  // MARK: Receiving

  func received(_ bytes: Span<UInt8>) {
    do {
      try length.received(bytes.count)
    } catch {
      session.used(bytes.count, on: number)
      return receivedBadBody(error)
    }
    guard kept.isEmpty else {
      unsafe bytes.withUnsafeBufferPointer { bytes in unsafe kept.append(contentsOf: bytes) }
      return deliver()
    }
    let used = isPaused ? 0 : use(bytes)
    if used < bytes.count, isAdded { kept = Array(copying: bytes.extracting(droppingFirst: used)) }
  }

  func receivedEnd() {
    do {
      try length.ended()
    } catch {
      return receivedBadBody(error)
    }
    hasEnded = true
    if isPaused, case .talking(.tunnel(let tunnel)) = phase, tunnel.isThrottled { tunnel.clientEndsWhileWaiting() }
    deliver()
  }

  /// What came is not the body that was announced.
  func receivedBadBody(_ error: HTTPParseError) {
    isMalformed = true
    if let exchange { exchange.answerOrAbort(.badBody(error, exchange.admission)) } else { abort() }
  }

  override func pauseReading() {
    isPaused = true
  }

  override func resumeReading() {
    guard isPaused else { return }
    isPaused = false
    if !kept.isEmpty || hasEnded != hasToldEnd { context.reactor.runLater(self) }
  }

  override func turn() {
    deliver()
    session.flush()
  }

  /// Offers what is kept, and then the end.
  private func deliver() {
    if !isPaused, !kept.isEmpty {
      let bytes = kept
      kept = []
      let used = use(bytes.span)
      if used < bytes.count, isAdded { kept = Array(copying: bytes.span.extracting(droppingFirst: used)) }
    }
    guard isAdded, !isPaused, hasEnded, !hasToldEnd else { return }
    hasToldEnd = true
    switch phase {
    case .talking(.exchange(let exchange)): exchange.clientEndedBody()
    case .talking(.reception), .talking(.tunnel):
      // The client has ended a WebSocket without a Close, as one does who closes a TCP connection (RFC 8441 §5).
      tellLost()
      linger()
    case .talking(.session), .handshaking, .awaitingFirstBytes, .readingHead, .betweenRequests, .lingering, .closed: break
    }
  }

  /// - Returns: how many bytes were used; the client may send as many more.
  private func use(_ bytes: Span<UInt8>) -> Int {
    var offset = 0
    while offset < bytes.count, !isPaused {
      guard case .talking(let conversation) = phase else {
        offset = bytes.count
        break
      }
      let before = offset
      offset = conversation.receivedFromClient(bytes, from: offset)
      guard offset > before else { break }
    }
    // Where that was the end of the stream, the connection's window still wants them back.
    if isAdded { session.used(offset, on: number) } else { session.consumed(offset) }
    return offset
  }

  // MARK: The end

  /// A request that cannot be read is answered, and nothing more of it is.
  func refuseHead(_ error: HTTPParseError) {
    isMalformed = error.isMalformed
    let refusal = Refusal.badHead(error)
    context.headRefused(self, refusal)
    let (head, body) = refusal.response.message()
    send(head, .body(body))
    linger()
  }

  override func finishExchange(keepAlive: Bool) {
    guard exchange != nil else { return }
    linger()
    if connection.overload != nil { session.retire() }
  }

  override func linger() {
    guard isAdded else { return }
    awaitsEnd = tunnel != nil || reception != nil
    setLingering()
    dropKept()
    isPaused = false
    if !isFinished {
      isFinished = true
      session.bodyGoesOn(on: number)
    }
    if hasSentEnd { sentEnd() }
    session.flush()
    deadlineMoved()
  }

  /// A slow client may take its time for what waits, as long as it takes something.
  private func setLingering() {
    let timeouts = context.snapshot.timeouts
    phase = .lingering(deadline: context.reactor.now + (waitingCount == 0 ? timeouts.close : timeouts.stall.timeout))
  }

  /// Our side has ended. What the client still wants to say of a request that is answered is of no use (RFC 9113 §8.1).
  func sentEnd() {
    hasSentEnd = true
    if !hasEnded, !awaitsEnd, isAdded { session.reset(number, .none) }
  }

  override func abort() {
    guard isAdded else { return }
    session.reset(number, isMalformed ? .protocolError : exchange == nil ? .cancel : .internalError)
    lost()
    session.flush()
  }

  override func closeIfIdle() {}

  override func drain(at time: Instant) {
    if case .talking(let conversation) = phase { conversation.drain(at: time) }
  }

  override func timerFired() {
    switch phase {
    case .talking(let conversation): conversation.timePassed()
    case .lingering(let deadline):
      if context.reactor.now >= deadline { abort() }
    case .handshaking, .awaitingFirstBytes, .readingHead, .betweenRequests, .closed: break
    }
    setNextTimer()
  }

  /// The stream is gone.
  func lost() {
    guard isAdded else { return }
    tellLost()
    phase = .closed
    context.reactor.remove(self)
    context.connections[id] = nil
    dropKept()
    outgoing = ByteQueue()
    waitingCount = 0
    reportWaiting()
    if case .own(let place) = place { place.giveBack() }
    session.forget(self)
  }

  /// What nobody reads any more must not hold the other streams.
  private func dropKept() {
    guard !kept.isEmpty else { return }
    session.consumed(kept.count)
    kept = []
  }
}

/// What a stream holds of the edge's cap on connections.
enum StreamPlace {
  /// It goes by its connection's.
  case ofConnection
  case own(HeldPlace)
  /// There was none left.
  case none
}
