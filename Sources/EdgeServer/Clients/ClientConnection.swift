import EdgeConfig
import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgePolicy
import EdgeRelay
import EdgeTLS
import EdgeTelemetry

/// One client's TCP connection, from accept to the end: TLS, then HTTP/1.1 requests one after the other, then perhaps a
/// WebSocket.
///
/// It owns the client's bytes; what they mean is up to the exchange or the tunnel that is going on.
final class ClientConnection: Client {
  private var agreedTLSVersion: TLSVersion?
  /// Whether the handshake that was charged when the client came has paid for an attempt.
  private var hasAttempted = false
  private let charge: ConnectionCharge
  private let accepted: Instant
  private var transport: ClientTransport?
  private var inlet = Inlet()
  /// Sending has failed: the connection ends as soon as nobody is in the middle of using it.
  private var isBroken = false
  /// The head that is being read; nil between requests, and for the life of a WebSocket.
  private var headInProgress: HeadInProgress?
  /// Bytes received and not used yet: the beginning of a frame, or of the next request.
  private var kept: [UInt8] = []
  /// What of `waitingBytes` the metrics know.
  private var reportedWaiting = 0

  /// Takes over an accepted socket; the reactor holds the connection from here on.
  ///
  /// - Parameter charge: what the connection holds of the caps; given back when it ends. Where this throws, the caller keeps it.
  init(
    socket: consuming Socket, tls: consuming TLSSession?, peer: PeerAddress, listener: ListenerContext, charge: ConnectionCharge,
    context: ReactorContext
  ) throws(SystemError) {
    self.charge = charge
    accepted = context.reactor.now
    let timeouts = context.snapshot.timeouts
    let phase: ClientPhase =
      if tls != nil {
        .handshaking(deadline: accepted + timeouts.handshake)
      } else if listener.protocols.contains(.http2) {
        .awaitingFirstBytes(deadline: accepted + timeouts.head)
      } else {
        .readingHead(deadline: accepted + timeouts.head)
      }
    let descriptor = socket.descriptor
    transport = ClientTransport(socket: socket, tls: tls)
    super.init(peer: peer, listener: listener, phase: phase, context: context)
    try context.reactor.add(self, descriptor: descriptor, interest: .readable)
    context.connections[id] = self
    deadlineMoved()
  }

  override var clientProtocol: ClientProtocol { .http1 }

  override var tlsVersion: TLSVersion? { agreedTLSVersion }

  override var certificate: ClientCertificate? { transport?.clientCertificate }

  override var overload: Overload? {
    switch charge {
    case .refused(let overload), .unanswered(let overload): overload
    case .admitted: nil
    }
  }

  override var meters: [HeldMeter] {
    if case .admitted(let place) = charge { place.meters } else { [] }
  }

  override func beginAttempt() -> Bool {
    defer { hasAttempted = true }
    return !hasAttempted
  }

  override func usesConnectionPlace() -> Bool { true }

  override var isEnding: Bool { inlet.isEnding }

  override var waitingBytes: Int { transport?.waitingBytes ?? 0 }

  /// Bytes that the kernel has taken, over the connection's life.
  override var sentBytes: UInt64 { transport?.sentBytes ?? 0 }

  /// The most that may wait for a client, in bytes: one turn's share, TLS around it, and the edge's own frames.
  private static let maxWaitingBytes = 262_144

  /// How many bytes one turn may read: what they become must fit the worker's queue.
  private var readLimit: Int {
    tunnel.map { min(ReactorContext.shareBytes, $0.route.maxSendQueueBytes) } ?? ReactorContext.shareBytes
  }

  // MARK: For the exchange and the tunnel

  @discardableResult
  override func send(_ bytes: Span<UInt8>) -> Bool {
    guard !isBroken else { return true }
    switch transport?.send(bytes) {
    case .sent?: return true
    case .waits?:
      watchWaiting()
      return false
    case .failed?:
      failLater()
      return true
    case nil: return true
    }
  }

  override func send(_ head: ResponseHead, _ rest: ResponseRest) {
    var bytes: [UInt8] = []
    head.serialize(into: &bytes)
    if case .body(let body) = rest { bytes += body }
    send(bytes.span)
  }

  override func pauseReading() {
    inlet.pause()
  }

  override func resumeReading() {
    if inlet.resume(hasKept: !kept.isEmpty) { context.reactor.runLater(self) }
  }

  /// The next request may follow, or the connection ends.
  override func finishExchange(keepAlive: Bool) {
    guard exchange != nil else { return }
    guard keepAlive, !context.isDraining else { return linger() }
    phase = .betweenRequests(deadline: context.reactor.now + Snapshot.keepAlive)
    // A client that asks and asks but never reads would have its answers pile up: it reads these first.
    if waitingBytes == 0 { resumeReading() } else { pauseReading() }
    deadlineMoved()
  }

  /// Everything is said on all streams.
  func finishSession() {
    guard case .talking(.session) = phase else { return }
    linger()
  }

  /// Ends the connection at once. What the kernel still holds for the client is dropped.
  override func abort() {
    transport?.resetOnClose()
    lost()
  }

  override func drain(at time: Instant) {
    switch phase {
    case .handshaking, .awaitingFirstBytes, .readingHead, .betweenRequests: close()
    case .talking(let conversation): conversation.drain(at: time)
    case .lingering, .closed: break
    }
  }

  override func closeIfIdle() {
    switch phase {
    case .handshaking, .awaitingFirstBytes, .readingHead, .betweenRequests: close()
    case .talking(.session(let session)): session.closeIfIdle()
    case .talking, .lingering, .closed: break
    }
  }

  // MARK: Events

  override func ready(_ readiness: Readiness) {
    guard !isBroken else { return lost() }
    if readiness.contains(.writable) { flush() }
    let isEnding = !readiness.isDisjoint(with: [.peerClosed, .hungUp, .error])
    guard readiness.contains(.readable) || isEnding else { return }
    inlet.becameReadable(ending: isEnding)
    if isEnding, inlet.isPaused, endsWhilePaused(readiness) { return lost() }
    read()
  }

  override func turn() {
    if isBroken { lost() } else { read() }
  }

  override func timerFired() {
    let now = context.reactor.now
    switch phase {
    case .handshaking(let deadline):
      if now >= deadline { handshakeFailed(.timeout) }
    case .readingHead(let deadline):
      if now >= deadline { headTimedOut() }
    case .awaitingFirstBytes(let deadline), .betweenRequests(let deadline):
      if now >= deadline { close() }
    case .lingering(let deadline):
      if now >= deadline { waitingBytes > 0 ? abort() : close() }
    case .talking(let conversation): conversation.timePassed()
    case .closed: break
    }
    setNextTimer()
  }

  private func flush() {
    switch transport?.flush() {
    case .sent?:
      context.reactor.modify(self, interest: .readable)
      reportWaiting()
      drained()
    case .waits?:
      reportWaiting()
      extendLingering()
    case .failed?: lost()
    case nil: break
    }
  }

  /// The client has taken all that waited for it.
  private func drained() {
    switch phase {
    case .talking(let conversation): conversation.clientDrained()
    case .lingering: transport?.shutdown()
    case .betweenRequests: resumeReading()
    case .handshaking, .awaitingFirstBytes, .readingHead, .closed: break
    }
  }

  /// Something waits: the client's room is awaited, and the metrics know of it.
  private func watchWaiting() {
    context.reactor.modify(self, interest: [.readable, .writable])
    reportWaiting()
  }

  private func reportWaiting() {
    let waiting = waitingBytes
    context.metrics.sendQueueChanged(by: waiting - reportedWaiting)
    reportedWaiting = waiting
  }

  // MARK: Reading

  private func read() {
    guard transport != nil else { return }
    if case .handshaking = phase { return handshake() }
    switch inlet.turn {
    case .wait: break
    case .useKept: process(context.place(kept))
    case .receive: receive()
    }
  }

  private func receive() {
    // Nobody keeps more than one read brings; what does has lost its way.
    guard kept.count <= context.scratch.plaintextBytes else { return lost() }
    let keptCount = context.place(kept)
    guard let outcome = unsafe transport?.receive(into: context.room(after: keptCount), limit: readLimit) else { return }
    received(outcome, after: keptCount)
    boundWaiting()
  }

  /// Reading may have made TLS answer. Nobody pauses for those answers, so a client that provokes them and takes none ends.
  private func boundWaiting() {
    guard waitingBytes > 0 else { return }
    if waitingBytes > Self.maxWaitingBytes { abort() } else { watchWaiting() }
  }

  private func received(_ outcome: ReceiveOutcome, after keptCount: Int) {
    switch outcome {
    case .bytes(let count, let more):
      if inlet.received(more: more) { context.reactor.runLater(self) }
      if count > 0 { process(keptCount + count) }
    case .wouldBlock: if inlet.foundNothing() { lost() }
    case .ended: ended()
    case .failed: lost()
    }
  }

  /// Uses the first `count` bytes of the reactor's plaintext buffer, the kept ones in front; keeps what cannot be used yet.
  private func process(_ count: Int) {
    if !kept.isEmpty { kept = [] }
    if inlet.useKept() { context.reactor.runLater(self) }
    context.withPlaintext(count) { bytes in
      var offset = 0
      while offset < count, !inlet.isPaused {
        let before = offset
        switch phase {
        case .awaitingFirstBytes: offset = readFirstBytes(bytes, from: offset)
        case .readingHead, .betweenRequests: offset = readHead(bytes, from: offset)
        case .talking(let conversation): offset = conversation.receivedFromClient(bytes, from: offset)
        case .lingering, .closed, .handshaking: return
        }
        guard offset > before else { break }
      }
      if offset < count, transport != nil { kept = Array(copying: bytes.extracting(droppingFirst: offset)) }
    }
  }

  /// The first bytes of a connection without TLS tell the HTTP version, by prior knowledge (RFC 9113 §3.3).
  private func readFirstBytes(_ bytes: Span<UInt8>, from offset: Int) -> Int {
    switch ClientPreface.match(bytes.extracting(droppingFirst: offset)) {
    case .part: return offset
    case .whole: return beginSession()?.receivedFromClient(bytes, from: offset) ?? bytes.count
    case .none:
      guard listener.protocols.contains(.http1) else {
        refuseHead(.badHead(.versionNotSupported))
        return bytes.count
      }
      phase = .readingHead(deadline: phase.nextDeadline)
      return readHead(bytes, from: offset)
    }
  }

  /// The client speaks HTTP/2.
  private func beginSession() -> ClientSession? {
    do {
      let session = try ClientSession(self, context: context)
      phase = .talking(.session(session))
      session.flush()
      deadlineMoved()
      return session
    } catch {
      close()
      return nil
    }
  }

  private func readHead(_ bytes: Span<UInt8>, from offset: Int) -> Int {
    let reading = headInProgress ?? HeadInProgress(limits: context.snapshot.headLimits)
    do {
      switch try reading.parser.receive(bytes.extracting(droppingFirst: offset)) {
      case .needMore:
        headInProgress = reading
        beginHead()
        return bytes.count
      case .complete(let head, let consumed):
        headInProgress = nil
        begin(head)
        return offset + consumed
      }
    } catch {
      refuseHead(.badHead(error))
      return bytes.count
    }
  }

  /// The first byte of a further request ends the wait between requests: the whole head is due from now on.
  private func beginHead() {
    guard case .betweenRequests = phase else { return }
    phase = .readingHead(deadline: context.reactor.now + context.snapshot.timeouts.head)
    deadlineMoved()
  }

  // MARK: Handshake

  private func handshake() {
    guard case .receive = inlet.turn, let outcome = transport?.handshake() else { return }
    switch outcome {
    case .needsInput:
      boundWaiting()
      if inlet.received(more: false) { context.reactor.runLater(self) }
    case .done(let info):
      agreedTLSVersion = info.version
      context.metrics.tlsHandshakeFinished(
        result: .completed, version: info.version.label, resumed: info.isResumed, duration: context.reactor.now - accepted)
      beginHTTP(info.applicationProtocol)
      // The input that completed the handshake may hold the first request too.
      guard let rest = unsafe transport?.receiveRest(into: context.room(after: 0)) else { return }
      received(rest, after: 0)
    case .failed(let error):
      if case .untrusted(let flaw) = error { context.certificateRefused(peer, listener: listener, flaw) }
      handshakeFailed(.failed)
    case .ended: handshakeFailed(.abandoned)
    }
  }

  /// A client that names no version speaks HTTP/1.1 (RFC 7301 §3.2 asks nothing of it).
  private func beginHTTP(_ agreed: String?) {
    if agreed == ClientProtocol.http2.word {
      _ = beginSession()
    } else if listener.protocols.contains(.http1) {
      phase = .readingHead(deadline: context.reactor.now + context.snapshot.timeouts.head)
      deadlineMoved()
    } else {
      linger()
    }
  }

  private func handshakeFailed(_ result: TLSHandshakeResult) {
    context.metrics.tlsHandshakeFinished(result: result, version: .none, resumed: false, duration: context.reactor.now - accepted)
    close()
  }

  // MARK: The end

  private func headTimedOut() {
    guard headInProgress?.hasPartialHead == true else { return close() }
    refuseHead(.headTimeout())
  }

  private func refuseHead(_ refusal: Refusal) {
    context.headRefused(self, refusal)
    let (head, body) = refusal.response.message()
    send(head, .body(body))
    linger()
  }

  /// Whether the client's end, while nobody reads from it, means that it is gone.
  private func endsWhilePaused(_ readiness: Readiness) -> Bool {
    guard readiness.isDisjoint(with: [.hungUp, .error]) else { return true }
    if case .talking(let conversation) = phase { return conversation.endsWhilePaused() }
    return false
  }

  /// The client ended its side, and everything before that has been read.
  private func ended() {
    inlet.foundEnd()
    switch phase {
    case .talking(.exchange(let exchange)): if exchange.clientEndedInput() { close() }
    case .talking(.reception), .talking(.tunnel), .talking(.session): lost()
    case .lingering where waitingBytes > 0: break
    case .handshaking, .awaitingFirstBytes, .readingHead, .betweenRequests, .lingering, .closed: close()
    }
  }

  /// The connection failed while somebody else's event is being served: it ends once that is over.
  private func failLater() {
    isBroken = true
    context.reactor.runLater(self)
  }

  /// The connection failed.
  private func lost() {
    tellLost()
    close()
  }

  /// Sends what waits, ends the sending side, then waits for the client's end: closing with unread input would reset the
  /// connection, and the reset might overtake what was just sent (RFC 9112 §9.6).
  override func linger() {
    phase = .lingering(deadline: context.reactor.now + context.snapshot.timeouts.close)
    kept = []
    if inlet.discard() { context.reactor.runLater(self) }
    switch transport?.sendEnd() {
    case .sent?: transport?.shutdown()
    case .waits?:
      watchWaiting()
      extendLingering()
    case .failed?: failLater()
    case nil: break
    }
    deadlineMoved()
  }

  /// A slow client may take its time for what waits, as long as it takes something.
  private func extendLingering() {
    guard case .lingering = phase else { return }
    phase = .lingering(deadline: context.reactor.now + context.snapshot.timeouts.stall.timeout)
  }

  private func close() {
    guard transport != nil else { return }
    phase = .closed
    context.reactor.remove(self, closing: true)
    context.connections[id] = nil
    transport = nil
    kept = []
    reportWaiting()
    context.shared.limits.release(charge, now: context.reactor.now)
  }
}

extension TLSVersion {
  fileprivate var label: TLSVersionLabel {
    switch self {
    case .tls12: .tls12
    case .tls13: .tls13
    }
  }
}
