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
/// It owns the client's bytes; what they mean is up to the exchange or the tunnel that is going on. How they come in is told in
/// `ClientReading.swift`, which the properties that are not private are for.
final class ClientConnection: Client {
  var agreedTLSVersion: TLSVersion?
  /// Whether the handshake that was charged when the client came has paid for an attempt.
  private var hasAttempted = false
  private let charge: ConnectionCharge
  let accepted: Instant
  /// What lies below calls nobody up here, so no two accesses to it can overlap; to have that checked takes an echo 180 user
  /// instructions.
  @safe @exclusivity(unchecked) var transport: ClientTransport?
  var inlet = Inlet()
  /// Sending has failed: the connection ends as soon as nobody is in the middle of using it.
  private var isBroken = false
  /// The head that is being read; nil between requests, and for the life of a WebSocket.
  var headInProgress: HeadInProgress?
  /// Bytes received and not used yet: the beginning of a frame, or of the next request.
  var kept: [UInt8] = []
  /// What of `waitingBytes` the metrics know.
  private(set) var reportedWaiting = 0

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
    context.letRead(self)
  }

  override func turn() {
    if isBroken { lost() } else { context.letRead(self) }
    context.turnInput.pass()
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
  func watchWaiting() {
    context.reactor.modify(self, interest: [.readable, .writable])
    reportWaiting()
  }

  private func reportWaiting() {
    let waiting = waitingBytes
    context.metrics.sendQueueChanged(by: waiting - reportedWaiting)
    reportedWaiting = waiting
  }

  // MARK: The end

  private func headTimedOut() {
    guard headInProgress?.hasPartialHead == true else { return close() }
    refuseHead(.headTimeout())
  }

  func refuseHead(_ refusal: Refusal) {
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
  func ended() {
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
  func lost() {
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

  func close() {
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
