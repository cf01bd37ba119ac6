import EdgeCore
import EdgeIO
import EdgeTLS

/// The bytes of one client's TCP connection, with TLS or without: what the layers above read and write is plaintext.
///
/// Holds no buffer while the client keeps up. What a slow client has not taken waits here, encrypted; whoever writes
/// looks at `waitingBytes` and stops reading from the other side.
@safe
struct ClientTransport: ~Copyable {
  private let socket: Socket
  private let scratch: TLSScratch
  private var tls: TLSSession?
  private var queue = ByteQueue()
  /// Whether TLS ended behind the bytes that were read last.
  private var hasEnded = false
  /// Bytes that the kernel has taken, over the connection's life.
  private(set) var sentBytes: UInt64 = 0

  init(socket: consuming Socket, tls: consuming TLSSession?, scratch: TLSScratch) {
    self.socket = socket
    self.tls = tls
    self.scratch = scratch
  }

  /// Bytes that wait for the client to take them.
  var waitingBytes: Int { queue.count }

  /// Goes on with the TLS handshake, as far as the bytes at hand allow.
  mutating func handshake() -> HandshakeOutcome {
    while true {
      let count: Int
      switch unsafe socket.receive(into: scratch.input) {
      case .bytes(let received): count = received
      case .wouldBlock: return .needsInput
      case .ended, .failed: return .ended
      }
      scratch.offer(count: count)
      guard let step = tls?.handshake() else { return .ended }
      guard sendCiphertext() else {
        // The next session must not find what this one leaves unread.
        scratch.discardInput()
        return .ended
      }
      switch step {
      case .done(let info): return .done(info)
      case .failed(let error):
        scratch.discardInput()
        return .failed(error)
      case .needsInput: break
      }
      if unsafe count < scratch.input.count { return .needsInput }
    }
  }

  /// Reads once from the socket into `buffer`, decrypted. The buffer must hold `TLSScratch.plaintextBytes`.
  ///
  /// - Parameter limit: how many bytes to take from the socket, at most `ReactorContext.shareBytes`.
  mutating func receive(into buffer: UnsafeMutableRawBufferPointer, limit: Int) -> ReceiveOutcome {
    guard !hasEnded else { return .ended }
    let isEncrypted = tls != nil
    let window = unsafe UnsafeMutableRawBufferPointer(rebasing: (isEncrypted ? scratch.input : buffer)[..<limit])
    switch unsafe socket.receive(into: window) {
    case .bytes(let count):
      let more = count == window.count
      guard isEncrypted else { return .bytes(count, more: more) }
      scratch.offer(count: count)
      return unsafe decrypt(into: buffer, more: more)
    case .wouldBlock: return .wouldBlock
    case .ended: return .ended
    case .failed: return .failed
    }
  }

  /// Decrypts what came with the end of the handshake.
  mutating func receiveRest(into buffer: UnsafeMutableRawBufferPointer) -> ReceiveOutcome {
    unsafe decrypt(into: buffer, more: true)
  }

  private mutating func decrypt(into buffer: UnsafeMutableRawBufferPointer, more: Bool) -> ReceiveOutcome {
    guard let step = unsafe tls?.read(into: buffer) else { return .failed }
    // A message after the handshake may want an answer, and a broken session an alert.
    let isAlive = sendCiphertext()
    switch step {
    case .bytes(let count):
      guard isAlive else { return .failed }
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
      hasEnded = unsafe tls?.read(into: rest) != .needsInput
      return .bytes(count, more: more || hasEnded)
    case .needsInput: return isAlive ? .bytes(0, more: more) : .failed
    case .closed: return .ended
    case .failed: return .failed
    }
  }

  /// Sends `bytes`, or keeps what the client does not take yet.
  ///
  /// - Returns: false when the connection is dead.
  mutating func send(_ bytes: Span<UInt8>) -> Bool {
    guard tls != nil else { return sendOnWire(bytes) }
    guard tls?.write(bytes) == true else { return false }
    return sendCiphertext()
  }

  /// Sends what waits.
  ///
  /// - Returns: false when the connection is dead.
  mutating func flush() -> Bool {
    while !queue.isEmpty {
      switch queue.withBytes({ bytes in socket.send(bytes) }) {
      case .bytes(let count):
        sentBytes += UInt64(count)
        queue.removeFirst(count)
      case .wouldBlock: return true
      case .ended, .failed: return false
      }
    }
    return true
  }

  /// Says that nothing more will be sent: close_notify on TLS. `shutdown` follows once nothing waits.
  mutating func sendEnd() {
    guard tls != nil else { return }
    tls?.closeNotify()
    _ = sendCiphertext()
  }

  /// Ends the sending half of the TCP connection.
  func shutdown() {
    socket.shutdownWrite()
  }

  private mutating func sendCiphertext() -> Bool {
    guard scratch.outputCount > 0 else { return true }
    let isAlive = scratch.withOutput { sendOnWire($0) }
    scratch.clearOutput()
    return isAlive
  }

  private mutating func sendOnWire(_ bytes: Span<UInt8>) -> Bool {
    guard queue.isEmpty else {
      queue.append(bytes)
      return true
    }
    switch socket.send(bytes) {
    case .bytes(let count):
      sentBytes += UInt64(count)
      if count < bytes.count { queue.append(bytes.extracting(droppingFirst: count)) }
      return true
    case .wouldBlock:
      queue.append(bytes)
      return true
    case .ended, .failed:
      return false
    }
  }
}

/// How far a TLS handshake got.
enum HandshakeOutcome {
  case done(TLSInfo)
  case needsInput
  case failed(TLSError)
  case ended
}

/// What one read brought.
enum ReceiveOutcome {
  case wouldBlock
  /// `more`: the socket may hold further bytes.
  case bytes(Int, more: Bool)
  /// The client ended its side, or broke TLS.
  case ended
  case failed
}
