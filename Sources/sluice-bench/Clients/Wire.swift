import EdgeCore
import EdgeIO
import EdgeTLS

/// The bytes of one client's TCP connection, with TLS or without.
@safe
struct Wire: ~Copyable {
  private let socket: Socket
  private let context: LoadContext
  private var tls: TLSSession?
  private var queue = ByteQueue()
  /// Whether the last receive took all that the kernel had.
  private(set) var isDrained = false

  /// Takes over a socket that connects.
  init(_ socket: consuming Socket, context: LoadContext) throws(TLSError) {
    self.context = context
    if let client = context.target.tls {
      tls = try TLSSession(
        client: client, scratch: context.scratch, serverName: context.target.serverName, resuming: context.ticket)
    }
    self.socket = socket
  }

  /// The error that connecting ended with, if it did.
  func connectError() -> SystemError? { socket.takeError() }

  /// Begins TLS; nil where there is none.
  mutating func begin() -> HandshakeStep? {
    let step = tls?.handshake()
    sendCiphertext()
    return step
  }

  /// Goes on with the handshake. After `.done`, `readRest` has what came with its end.
  mutating func handshake() -> WireStep<TLSInfo> {
    switch unsafe socket.receive(into: context.scratch.input) {
    case .bytes(let count): context.scratch.offer(count: count)
    case .wouldBlock: return .wouldBlock
    case .ended, .failed: return .ended
    }
    guard let step = tls?.handshake() else { return .ended }
    sendCiphertext()
    switch step {
    case .done(let info): return .some(info)
    case .needsInput: return .wouldBlock
    case .failed(let error): return .failed(error)
    }
  }

  /// Decrypts what came with the end of the handshake, into the context's plaintext.
  mutating func readRest() -> WireStep<Int> {
    decrypt()
  }

  /// Receives once, into the context's plaintext. `.some(0)` is a part of a record.
  mutating func receive() -> WireStep<Int> {
    let room = unsafe tls == nil ? context.plaintext : context.scratch.input
    switch unsafe socket.receive(into: room) {
    case .bytes(let count):
      isDrained = count < room.count
      guard tls != nil else { return .some(count) }
      context.scratch.offer(count: count)
      return decrypt()
    case .wouldBlock: return .wouldBlock
    case .ended, .failed: return .ended
    }
  }

  /// Sends `bytes`, or keeps what the proxy does not take yet. That a connection is gone shows when it is read.
  mutating func send(_ bytes: Span<UInt8>) {
    guard tls != nil else { return sendOnWire(bytes) }
    guard tls?.write(bytes) == true else { return }
    sendCiphertext()
  }

  /// Sends what was kept.
  mutating func flush() {
    while !queue.isEmpty {
      guard case .bytes(let count) = queue.withBytes({ socket.send($0) }) else { return }
      queue.removeFirst(count)
    }
  }

  /// Says that the end is meant: close_notify on TLS.
  mutating func sayEnd() {
    tls?.closeNotify()
    sendCiphertext()
  }

  /// The means to resume this connection's session.
  func ticket() -> TLSClientTicket? {
    tls?.resumptionTicket()
  }

  private mutating func decrypt() -> WireStep<Int> {
    guard let step = unsafe tls?.read(into: context.plaintext) else { return .some(0) }
    sendCiphertext()
    switch step {
    case .bytes(let count):
      // A close_notify behind the last bytes is found by the next receive.
      context.scratch.discardInput()
      return .some(count)
    case .needsInput: return .some(0)
    case .closed: return .ended
    case .failed(let error): return .failed(error)
    }
  }

  private mutating func sendCiphertext() {
    guard context.scratch.outputCount > 0 else { return }
    context.scratch.withOutput { sendOnWire($0) }
    context.scratch.clearOutput()
  }

  private mutating func sendOnWire(_ bytes: Span<UInt8>) {
    guard queue.isEmpty else { return queue.append(bytes) }
    switch socket.send(bytes) {
    case .bytes(let count): if count < bytes.count { queue.append(bytes.extracting(droppingFirst: count)) }
    case .wouldBlock: queue.append(bytes)
    case .ended, .failed: break
    }
  }
}

/// What a step on the wire came to.
enum WireStep<Value> {
  case some(Value)
  /// Nothing more for now.
  case wouldBlock
  case ended
  case failed(TLSError)
}
