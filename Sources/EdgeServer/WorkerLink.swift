import EdgeConfig
import EdgeCore
import EdgeIO

/// One connection from the edge to a worker's Unix socket.
///
/// It belongs to an exchange, then perhaps to a tunnel, or waits idle for the next exchange. Like a client's, it holds no
/// buffer while the worker keeps up.
final class WorkerLink: EventSource {
  let worker: PoolWorker
  private let context: ReactorContext
  private var socket: Socket?
  private var owner = Owner.nobody
  private var queue = ByteQueue()
  private var kept: [UInt8] = []
  private var mayHaveInput = false
  /// The worker has ended its side: read on until that is found, past short reads.
  private var isEnding = false
  private var isReadingPaused = false
  /// Bytes that the kernel has taken, over the link's life.
  private(set) var sentBytes: UInt64 = 0
  /// Whether the link counts as one of the worker's connections: as long as it serves a client.
  private var hasPlace = true

  /// Takes over a connected socket, and the place at the worker that was taken for it.
  init(worker: PoolWorker, socket: consuming Socket, context: ReactorContext) throws(SystemError) {
    self.worker = worker
    self.context = context
    super.init()
    let descriptor = socket.descriptor
    self.socket = consume socket
    try context.reactor.add(self, descriptor: descriptor, interest: .readable)
  }

  /// Bytes that wait for the worker to take them.
  var waitingBytes: Int { queue.count }

  /// Whether the connection still stands.
  var isOpen: Bool { socket != nil }

  /// Serves an exchange; the place at the worker that was taken for it is the link's from now on.
  func belong(to exchange: Exchange) {
    owner = .exchange(exchange)
    hasPlace = true
    context.reactor.cancelTimer(self)
  }

  func belong(to tunnel: Tunnel) {
    owner = .tunnel(tunnel)
  }

  /// Gives its place back, and waits for another exchange until `deadline`.
  func rest(until deadline: Instant) {
    owner = .nobody
    givePlaceBack()
    context.reactor.setTimer(self, at: deadline)
    resumeReading()
  }

  /// Sends `bytes`, or keeps what the worker does not take yet. A dead link is told by its end.
  func send(_ bytes: Span<UInt8>) {
    guard socket != nil else { return }
    guard queue.isEmpty else { return queue.append(bytes) }
    switch socket?.send(bytes) {
    case .bytes(let count):
      sentBytes += UInt64(count)
      if count < bytes.count { wait(for: bytes.extracting(droppingFirst: count)) }
    case .wouldBlock: wait(for: bytes)
    case .ended, .failed, nil: sendingFailed()
    }
  }

  /// The worker may have answered before it closed: what it said is read first, then its end is found.
  private func sendingFailed() {
    queue = ByteQueue()
    isEnding = true
    mayHaveInput = true
    context.reactor.runLater(self)
  }

  func pauseReading() {
    isReadingPaused = true
  }

  func resumeReading() {
    guard isReadingPaused else { return }
    isReadingPaused = false
    context.reactor.runLater(self)
  }

  /// The place is given back by whoever reports the worker's failure.
  func surrenderPlace() {
    hasPlace = false
  }

  /// Ends the sending side once what waits has been sent, then waits a while for the worker's end: a worker that still
  /// answers a Close must not meet a reset.
  func finish() {
    guard socket != nil else { return }
    owner = .leaving
    givePlaceBack()
    resumeReading()
    context.reactor.setTimer(self, at: context.reactor.now + context.snapshot.timeouts.close)
    if queue.isEmpty { socket?.shutdownWrite() }
  }

  /// Ends the connection at once.
  func close() {
    guard socket != nil else { return }
    owner = .nobody
    context.idleLinks.remove(self)
    context.reactor.remove(self)
    socket = nil
    queue = ByteQueue()
    kept = []
    givePlaceBack()
  }

  // MARK: Events

  override func ready(_ readiness: Readiness) {
    if readiness.contains(.writable) { flush() }
    if !readiness.isDisjoint(with: [.peerClosed, .hungUp, .error]) { isEnding = true }
    if readiness.contains(.readable) || isEnding {
      mayHaveInput = true
      read()
    }
  }

  override func turn() {
    read()
  }

  override func timerFired() {
    close()
  }

  private func flush() {
    while !queue.isEmpty {
      switch queue.withBytes({ socket?.send($0) }) {
      case .bytes(let count):
        sentBytes += UInt64(count)
        queue.removeFirst(count)
      case .wouldBlock: return
      case .ended, .failed, nil: return sendingFailed()
      }
    }
    context.reactor.modify(self, interest: .readable)
    switch owner {
    case .exchange(let exchange): exchange.workerDrained()
    case .tunnel(let tunnel): tunnel.workerDrained()
    case .leaving: socket?.shutdownWrite()
    case .nobody: break
    }
  }

  private func wait(for bytes: Span<UInt8>) {
    queue.append(bytes)
    context.reactor.modify(self, interest: [.readable, .writable])
  }

  private func read() {
    guard mayHaveInput, !isReadingPaused, socket != nil else { return }
    let keptCount = context.place(kept)
    let limit = readLimit
    let room = unsafe UnsafeMutableRawBufferPointer(rebasing: context.room(after: keptCount)[..<limit])
    switch unsafe socket?.receive(into: room) {
    case .bytes(let count):
      mayHaveInput = count == limit || isEnding
      if mayHaveInput { context.reactor.runLater(self) }
      kept = []
      context.withPlaintext(keptCount + count) { process($0) }
    case .wouldBlock: mayHaveInput = false
    case .ended, .failed, nil: ended()
    }
  }

  /// How many bytes one turn may read: what they become must fit the client's queue, with TLS around them.
  private var readLimit: Int {
    guard case .tunnel(let tunnel) = owner else { return ReactorContext.shareBytes }
    return min(ReactorContext.shareBytes, tunnel.route.maxSendQueueBytes - tlsOverheadBytes)
  }

  private func process(_ bytes: Span<UInt8>) {
    var offset = 0
    while offset < bytes.count {
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
    if offset < bytes.count, socket != nil { kept = Array(copying: bytes.extracting(droppingFirst: offset)) }
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
