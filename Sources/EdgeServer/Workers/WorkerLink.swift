import EdgeConfig
import EdgeCore
import EdgeIO

/// One connection from the edge to a worker's Unix socket.
///
/// It belongs to an exchange, then perhaps to a tunnel, or waits idle for the next exchange. Like a client's, it holds no
/// buffer while the worker keeps up.
final class WorkerLink: EventSource {
  private var inlet = Inlet()
  /// Whether the link counts as one of the worker's connections: as long as it serves a client.
  private var hasPlace = true
  let worker: PoolWorker
  private let context: ReactorContext
  /// What lies below calls nobody up here, so no two accesses to it can overlap; to have that checked takes an echo 90 user
  /// instructions.
  @safe @exclusivity(unchecked) private var wire: OutgoingSocket?
  private var owner = Owner.nobody
  /// Bytes received and not used yet: the beginning of a frame.
  private var kept: [UInt8] = []

  /// Takes over a connected socket, and the place at the worker that was taken for it.
  init(worker: PoolWorker, socket: consuming Socket, context: ReactorContext) throws(SystemError) {
    self.worker = worker
    self.context = context
    super.init()
    let descriptor = socket.descriptor
    wire = OutgoingSocket(socket)
    try context.reactor.add(self, descriptor: descriptor, interest: .readable)
  }

  /// Bytes that wait for the worker to take them.
  var waitingBytes: Int { wire?.waitingBytes ?? 0 }

  /// Bytes that the kernel has taken, over the link's life.
  var sentBytes: UInt64 { wire?.sentBytes ?? 0 }

  /// Serves an exchange; the place at the worker that was taken for it is the link's from now on.
  func belong(to exchange: Exchange) {
    owner = .exchange(exchange)
    hasPlace = true
    context.reactor.cancelTimer(self)
  }

  func belong(to tunnel: Tunnel) {
    owner = .tunnel(tunnel)
  }

  /// Whether nothing is under way in either direction: only then may another request use the link. Asks the kernel.
  var isQuiet: Bool {
    inlet.isQuiet && kept.isEmpty && waitingBytes == 0 && wire?.isQuiet == true
  }

  /// Gives its place back, and waits for another exchange until `deadline`.
  func rest(until deadline: Instant) {
    owner = .nobody
    givePlaceBack()
    context.reactor.setTimer(self, at: deadline)
    resumeReading()
  }

  /// Sends `bytes`, or keeps what the worker does not take yet. A dead link is told by its end.
  ///
  /// - Returns: whether the worker keeps up: nothing waits for it.
  @discardableResult
  func send(_ bytes: Span<UInt8>) -> Bool {
    switch wire?.send(bytes) {
    case .sent?: return true
    case .waits?:
      context.reactor.modify(self, interest: [.readable, .writable])
      return false
    case .failed?:
      sendingFailed()
      return true
    case nil: return true
    }
  }

  /// The worker may have answered before it closed: what it said is read first, then its end is found.
  private func sendingFailed() {
    wire?.dropWaiting()
    inlet.becameReadable(ending: true)
    context.reactor.runLater(self)
  }

  func pauseReading() {
    inlet.pause()
  }

  func resumeReading() {
    if inlet.resume(hasKept: !kept.isEmpty) { context.reactor.runLater(self) }
  }

  /// The place is given back by whoever reports the worker's failure.
  func surrenderPlace() {
    hasPlace = false
  }

  /// Ends the connection for a client that is gone without a Close: nobody waits for an answer of the worker's, so where
  /// nothing is under way the end is immediate, which spares 4 system calls and a wake-up (`scripts/bench --parts syscalls`).
  func abandon() {
    if inlet.isQuiet && waitingBytes == 0 { close() } else { finish() }
  }

  /// Ends the sending side once what waits has been sent, then waits a while for the worker's end: a worker that still
  /// answers a Close must not meet a reset.
  func finish() {
    guard wire != nil, !isLeaving else { return }
    owner = .leaving
    givePlaceBack()
    resumeReading()
    context.reactor.setTimer(self, at: context.reactor.now + context.snapshot.timeouts.close)
    if waitingBytes == 0 { wire?.shutdown() }
  }

  /// Ends the connection at once.
  func close() {
    guard wire != nil else { return }
    owner = .nobody
    context.idleLinks.remove(self)
    context.reactor.remove(self, closing: true)
    wire = nil
    kept = []
    givePlaceBack()
  }

  // MARK: Events

  override func ready(_ readiness: Readiness) {
    if readiness.contains(.writable) { flush() }
    let isEnding = !readiness.isDisjoint(with: [.peerClosed, .hungUp, .error])
    guard readiness.contains(.readable) || isEnding else { return }
    inlet.becameReadable(ending: isEnding)
    if servesTunnel { context.isReady(self) } else { read(through: context.turnInput) }
  }

  override func turn() {
    read(through: context.turnInput)
    context.turnInput.pass()
  }

  override func timerFired() {
    close()
  }

  private func flush() {
    switch wire?.flush() {
    case .sent?:
      context.reactor.modify(self, interest: .readable)
      drained()
    case .failed?: sendingFailed()
    case .waits?, nil: break
    }
  }

  /// The worker has taken all that waited for it.
  private func drained() {
    switch owner {
    case .exchange(let exchange): exchange.workerDrained()
    case .tunnel(let tunnel): tunnel.workerDrained()
    case .leaving: wire?.shutdown()
    case .nobody: break
    }
  }

  /// Reads, if it is time to: once, or what is kept from the last time.
  func read(through input: TurnInput) {
    switch inlet.turn {
    case .wait: break
    case .useKept: use(input.place(kept), of: input, waits: false)
    case .receive: receive(into: input)
    }
  }

  private func receive(into input: TurnInput) {
    let keptCount = input.place(kept)
    let (limit, waits) = readRule
    let room = unsafe UnsafeMutableRawBufferPointer(rebasing: input.room(after: keptCount)[..<limit])
    switch unsafe wire?.receive(into: room) {
    case .bytes(let count):
      if inlet.received(more: count == limit) { context.reactor.runLater(self) }
      use(keptCount + count, of: input, waits: waits)
    case .wouldBlock: if inlet.foundNothing() { ended() }
    case .ended, .failed, nil: ended()
    }
  }

  /// How many bytes one turn may read, since what they become must fit the client's queue, with TLS around them; and whether they
  /// are used together with those of others.
  private var readRule: (limit: Int, waits: Bool) {
    switch owner {
    case .tunnel(let tunnel): (min(ReactorContext.shareBytes, tunnel.route.maxSendQueueBytes - tlsOverheadBytes), true)
    case .nobody, .leaving, .exchange: (ReactorContext.shareBytes, false)
    }
  }

  /// Uses the bytes that were read last, the kept ones in front of them: what a WebSocket's worker says together with what others
  /// say in this turn, anything else at once.
  private func use(_ count: Int, of input: TurnInput, waits: Bool) {
    if !kept.isEmpty { kept = [] }
    if waits { input.keep(count, for: self) } else { input.withLast(count) { process($0) } }
  }

  /// Uses bytes that were read; keeps what cannot be used yet.
  func process(_ bytes: Span<UInt8>) {
    if inlet.useKept() { context.reactor.runLater(self) }
    let count = bytes.count
    var offset = 0
    while offset < count {
      let before = offset
      switch owner {
      case .exchange(let exchange): offset = exchange.receivedFromWorker(bytes, from: offset)
      case .tunnel(let tunnel): offset = tunnel.receivedFromWorker(bytes, from: offset)
      // An idle worker has nothing to say: whatever it is, it must not answer the next request.
      case .nobody: return close()
      case .leaving: return
      }
      guard offset > before else { break }
    }
    if offset < count, wire != nil { kept = Array(copying: bytes.extracting(droppingFirst: offset)) }
  }

  private var servesTunnel: Bool {
    if case .tunnel = owner { true } else { false }
  }

  private var isLeaving: Bool {
    if case .leaving = owner { true } else { false }
  }

  private func givePlaceBack() {
    guard hasPlace else { return }
    hasPlace = false
    worker.pool.closed(worker.id)
  }

  private func ended() {
    let owner = owner
    self.owner = .nobody
    switch owner {
    case .exchange(let exchange): exchange.workerEnded()
    case .tunnel(let tunnel): tunnel.workerEnded()
    case .nobody, .leaving: break
    }
    close()
  }
}

/// What TLS adds to 64 KiB: 22 bytes for each of at most 5 records, and some to spare.
private let tlsOverheadBytes = 256

/// Whom a link's bytes belong to.
private enum Owner {
  /// It waits for the next exchange.
  case nobody
  /// Nothing more is to be said; the worker's end is awaited.
  case leaving
  case exchange(Exchange)
  case tunnel(Tunnel)
}
