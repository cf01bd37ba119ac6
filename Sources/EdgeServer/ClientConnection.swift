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
/// It owns the client's bytes and the connection's one timer; what the bytes mean is up to the exchange or the tunnel that
/// is going on.
final class ClientConnection: EventSource {
  let id: ConnectionID
  let listener: ListenerContext
  /// The other end of the TCP connection: the client itself, or a proxy in front.
  let peer: PeerAddress
  /// The version of TLS, once the handshake is done.
  private(set) var tlsVersion: TLSVersion?
  /// Whether the handshake that was charged when the client came has paid for an attempt.
  private var hasAttempted = false
  /// What the connections of its reactor share.
  let context: ReactorContext
  private let charge: ConnectionCharge
  private let accepted: Instant
  private var transport: ClientTransport?
  private var phase: ClientPhase
  private var inlet = Inlet()
  /// Sending has failed: the connection ends as soon as nobody is in the middle of using it.
  private var isBroken = false
  /// The head that is being read; nil between requests, and for the life of a WebSocket.
  private var headInProgress: HeadInProgress?
  /// Bytes received and not used yet: the beginning of a frame, or of the next request.
  private var kept: [UInt8] = []
  private var timerSet = Instant.distantFuture
  /// What of `waitingBytes` the metrics know.
  private var reportedWaiting = 0

  /// Takes over an accepted socket; the reactor holds the connection from here on.
  ///
  /// - Parameter charge: what the connection holds of the caps; given back when it ends. Where this throws, the caller keeps it.
  init(
    socket: consuming Socket, tls: consuming TLSSession?, peer: PeerAddress, listener: ListenerContext, charge: ConnectionCharge,
    context: ReactorContext
  ) throws(SystemError) {
    id = context.nextConnectionID()
    self.listener = listener
    self.peer = peer
    self.charge = charge
    self.context = context
    accepted = context.reactor.now
    let timeouts = context.snapshot.timeouts
    phase = tls == nil ? .readingHead(deadline: accepted + timeouts.head) : .handshaking(deadline: accepted + timeouts.handshake)
    let descriptor = socket.descriptor
    transport = ClientTransport(socket: socket, tls: tls)
    super.init()
    try context.reactor.add(self, descriptor: descriptor, interest: .readable)
    context.connections[id] = self
    deadlineMoved()
  }

  /// Whether the client speaks TLS to the edge itself.
  var isEncrypted: Bool { listener.tls != nil }

  /// The limit that the connection is over, if it is over one: every request of it is refused.
  var overload: Overload? {
    switch charge {
    case .refused(let overload), .unanswered(let overload): overload
    case .admitted: nil
    }
  }

  /// What the messages of all connections of the client's address are charged to, where accepting has charged it.
  var meters: [HeldMeter] {
    if case .admitted(let place) = charge { place.meters } else { [] }
  }

  /// Whether an attempt is the connection's first, which is paid for.
  func beginAttempt() -> Bool {
    defer { hasAttempted = true }
    return !hasAttempted
  }

  /// Whether the client has ended its side, and what it said before may not have been read yet.
  var isEnding: Bool { inlet.isEnding }

  /// Bytes that wait for the client to take them.
  var waitingBytes: Int { transport?.waitingBytes ?? 0 }

  /// Bytes that the kernel has taken, over the connection's life.
  var sentBytes: UInt64 { transport?.sentBytes ?? 0 }

  /// The WebSocket that goes on, if one does.
  var tunnel: Tunnel? {
    if case .talking(.tunnel(let tunnel)) = phase { tunnel } else { nil }
  }

  /// The request that is being answered, if one is.
  var exchange: Exchange? {
    if case .talking(.exchange(let exchange)) = phase { exchange } else { nil }
  }

  /// The WebSocket that the edge has accepted itself, if there is one.
  var reception: Reception? {
    if case .talking(.reception(let reception)) = phase { reception } else { nil }
  }

  /// What the reactor's connections go by.
  var snapshot: Snapshot { context.snapshot }

  /// The most that may wait for a client, in bytes: one turn's share, TLS around it, and the edge's own frames.
  private static let maxWaitingBytes = 262_144

  /// How many bytes one turn may read: what they become must fit the worker's queue.
  private var readLimit: Int {
    tunnel.map { min(ReactorContext.shareBytes, $0.route.maxSendQueueBytes) } ?? ReactorContext.shareBytes
  }

  // MARK: For the exchange and the tunnel

  /// Sends `bytes`, or keeps what the client does not take yet.
  ///
  /// - Returns: whether the client keeps up: nothing waits for it.
  @discardableResult
  func send(_ bytes: Span<UInt8>) -> Bool {
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

  func pauseReading() {
    inlet.pause()
  }

  func resumeReading() {
    if inlet.resume(hasKept: !kept.isEmpty) { context.reactor.runLater(self) }
  }

  /// The exchange is over: the next request may follow, or the connection ends.
  func finishExchange(keepAlive: Bool) {
    guard exchange != nil else { return }
    guard keepAlive, !context.isDraining else { return linger() }
    phase = .betweenRequests(deadline: context.reactor.now + Snapshot.keepAlive)
    // A client that asks and asks but never reads would have its answers pile up: it reads these first.
    if waitingBytes == 0 { resumeReading() } else { pauseReading() }
    deadlineMoved()
  }

  /// The edge has accepted the exchange's WebSocket itself, and speaks with its client.
  func receive(_ reception: Reception) {
    phase = .talking(.reception(reception))
    resumeReading()
    deadlineMoved()
  }

  /// The client has said what the exchange needs to go on; what it says next is for a worker.
  func endReception(for exchange: Exchange) {
    phase = .talking(.exchange(exchange))
    pauseReading()
  }

  /// The WebSocket that the edge has accepted itself is over before a worker had it.
  ///
  /// - Parameter reception: the one that the client has spoken with already, which knows where a frame begins.
  func dismiss(_ close: PendingClose, by reception: Reception?) {
    guard exchange != nil else { return }
    reception?.dismiss(close)
    receive(reception ?? Reception(dismissing: close, client: self, context: context))
  }

  /// Everything is said on both sides of a WebSocket that no worker had.
  func finishReception() {
    guard reception != nil else { return }
    linger()
  }

  /// The exchange has become a WebSocket.
  ///
  /// - Parameter started: when its request came.
  func upgrade(to tunnel: Tunnel, started: Instant) {
    phase = .talking(.tunnel(tunnel))
    context.tunnelOpened(self, tunnel, started: started)
    tunnel.adoptThrottles(context.shared.rules)
    if context.isDraining { tunnel.drain(at: context.reactor.now) }
    tunnel.closeIfReplaced()
    resumeReading()
    deadlineMoved()
  }

  /// The tunnel has nothing more for the client.
  func finishTunnel() {
    guard let tunnel else { return }
    context.tunnelClosed(self, tunnel)
    tunnel.caller.giveBackPlaces()
    linger()
  }

  /// Ends the connection at once, in the middle of whatever goes on. What the kernel still holds for the client is dropped.
  func abort() {
    transport?.resetOnClose()
    lost()
  }

  /// Some deadline may have come nearer.
  func deadlineMoved() {
    let deadline = phase.nextDeadline
    guard isAdded, deadline < timerSet else { return }
    timerSet = deadline
    context.reactor.setTimer(self, at: deadline)
  }

  /// The edge drains: an idle connection ends, a WebSocket is closed with 1012 at `time`, a request may finish.
  func drain(at time: Instant) {
    switch phase {
    case .handshaking, .readingHead, .betweenRequests: close()
    case .talking(let conversation): conversation.drain(at: time)
    case .lingering, .closed: break
    }
  }

  /// Ends the connection if no request has come, or none after the last.
  func closeIfIdle() {
    switch phase {
    case .handshaking, .readingHead, .betweenRequests: close()
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
    timerSet = .distantFuture
    let now = context.reactor.now
    switch phase {
    case .handshaking(let deadline):
      if now >= deadline { handshakeFailed(.timeout) }
    case .readingHead(let deadline):
      if now >= deadline { headTimedOut() }
    case .betweenRequests(let deadline):
      if now >= deadline { close() }
    case .lingering(let deadline):
      if now >= deadline { waitingBytes > 0 ? abort() : close() }
    case .talking(let conversation): conversation.timePassed()
    case .closed: break
    }
    deadlineMoved()
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
    case .handshaking, .readingHead, .closed: break
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
        case .readingHead, .betweenRequests: offset = readHead(bytes, from: offset)
        case .talking(let conversation): offset = conversation.receivedFromClient(bytes, from: offset)
        case .lingering, .closed, .handshaking: return
        }
        guard offset > before else { break }
      }
      if offset < count, transport != nil { kept = Array(copying: bytes.extracting(droppingFirst: offset)) }
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

  private func begin(_ head: RequestHead) {
    let exchange = Exchange(head, client: self, context: context)
    phase = .talking(.exchange(exchange))
    exchange.begin()
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
      tlsVersion = info.version
      context.metrics.tlsHandshakeFinished(
        result: .completed, version: info.version.label, resumed: info.isResumed, duration: context.reactor.now - accepted)
      phase = .readingHead(deadline: context.reactor.now + context.snapshot.timeouts.head)
      deadlineMoved()
      // The input that completed the handshake may hold the first request too.
      guard let rest = unsafe transport?.receiveRest(into: context.room(after: 0)) else { return }
      received(rest, after: 0)
    case .failed: handshakeFailed(.failed)
    case .ended: handshakeFailed(.abandoned)
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
    var bytes: [UInt8] = []
    refusal.response.serialize(into: &bytes)
    send(bytes.span)
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
    case .talking(.reception), .talking(.tunnel): lost()
    case .lingering where waitingBytes > 0: break
    case .handshaking, .readingHead, .betweenRequests, .lingering, .closed: close()
    }
  }

  /// The connection failed while somebody else's event is being served: it ends once that is over.
  private func failLater() {
    isBroken = true
    context.reactor.runLater(self)
  }

  /// The connection failed.
  private func lost() {
    switch phase {
    case .talking(.exchange(let exchange)): exchange.clientLost()
    case .talking(.reception(let reception)): reception.clientLost()
    case .talking(.tunnel(let tunnel)):
      // What the tunnel still has to say to this client goes nowhere.
      phase = .closed
      tunnel.clientEnded()
      context.tunnelClosed(self, tunnel)
      tunnel.caller.giveBackPlaces()
    case .handshaking, .readingHead, .betweenRequests, .lingering, .closed: break
    }
    close()
  }

  /// Sends what waits, ends the sending side, then waits for the client's end: closing with unread input would reset the
  /// connection, and the reset might overtake what was just sent (RFC 9112 §9.6).
  private func linger() {
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
