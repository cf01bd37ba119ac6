import EdgeCore
import EdgeIO
import EdgeTLS

/// The bytes of one client's TCP connection, with TLS or without: what the layers above read and write is plaintext.
///
/// What a slow client has not taken waits encrypted.
@safe
struct ClientTransport: ~Copyable {
  private var wire: OutgoingSocket
  private var tls: TLSSession?
  /// Whether TLS ended behind the bytes that were read last.
  private var hasEnded = false

  init(socket: consuming Socket, tls: consuming TLSSession?) {
    wire = OutgoingSocket(socket)
    self.tls = tls
  }

  /// Bytes that wait for the client to take them.
  var waitingBytes: Int { wire.waitingBytes }

  /// Bytes that the kernel has taken, over the connection's life.
  var sentBytes: UInt64 { wire.sentBytes }

  /// The certificate that the client showed, once the handshake is done.
  var clientCertificate: ClientCertificate? {
    switch tls {
    case .some(let session): session.clientCertificate
    case nil: nil
    }
  }

  /// Goes on with the TLS handshake, as far as the bytes at hand allow.
  mutating func handshake() -> HandshakeOutcome {
    guard let scratch = tls?.scratch else { return .ended }
    while true {
      let count: Int
      switch unsafe wire.receive(into: scratch.input) {
      case .bytes(let received): count = received
      case .wouldBlock: return .needsInput
      case .ended, .failed: return .ended
      }
      tls?.offer(count)
      guard let step = tls?.handshake() else { return .ended }
      guard sendCiphertext(of: step) != .failed else {
        // The next session must not find what this one leaves unread.
        scratch.discardInput()
        return .ended
      }
      switch step {
      case .done(let info): return unsafe .done(info, more: count == scratch.input.count)
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
    let window = unsafe UnsafeMutableRawBufferPointer(rebasing: (tls?.scratch.input ?? buffer)[..<limit])
    switch unsafe wire.receive(into: window) {
    case .bytes(let count):
      let more = count == limit
      guard tls != nil else { return .bytes(count, more: more, answerWaits: false) }
      tls?.offer(count)
      return unsafe decrypt(into: buffer, more: more)
    case .wouldBlock: return .wouldBlock
    case .ended: return .ended
    case .failed: return .failed
    }
  }

  /// Decrypts what came with the end of the handshake.
  ///
  /// - Parameter more: whether the socket may hold further bytes.
  mutating func receiveRest(into buffer: UnsafeMutableRawBufferPointer, more: Bool) -> ReceiveOutcome {
    unsafe decrypt(into: buffer, more: more)
  }

  private mutating func decrypt(into buffer: UnsafeMutableRawBufferPointer, more: Bool) -> ReceiveOutcome {
    guard let step = unsafe tls?.read(into: buffer) else { return .failed }
    // A message after the handshake may want an answer, and a broken session an alert.
    let answered = sendCiphertext()
    switch step {
    case .bytes(let count):
      guard answered != .failed else { return .failed }
      hasEnded = tls?.isOpen == false
      return .bytes(count, more: more || hasEnded, answerWaits: answered == .waits)
    case .needsInput: return answered == .failed ? .failed : .bytes(0, more: more, answerWaits: answered == .waits)
    case .closed: return .ended
    case .failed: return .failed
    }
  }

  /// Sends `bytes`, or keeps what the client does not take yet.
  mutating func send(_ bytes: Span<UInt8>) -> SendOutcome {
    guard tls != nil else { return wire.send(bytes) }
    guard tls?.write(bytes) == true else { return .failed }
    return sendCiphertext()
  }

  /// Sends what waits.
  mutating func flush() -> SendOutcome {
    wire.flush()
  }

  /// Says that nothing more will be sent: close_notify on TLS. `shutdown` follows once nothing waits.
  mutating func sendEnd() -> SendOutcome {
    tls?.closeNotify()
    return sendCiphertext()
  }

  /// Ends the sending half of the TCP connection.
  func shutdown() {
    wire.shutdown()
  }

  /// Lets the kernel drop what it still holds for the client when the connection is closed.
  func resetOnClose() {
    wire.resetOnClose()
  }

  /// Sends what a step of the handshake gave. In TLS 1.3 the last one of a server gives the session ticket alone, which the
  /// client does not wait for: it goes with the first answer, and so costs no packet, no system call and no wake-up of its own
  /// (`scripts/bench --parts handshake,syscalls`: 4 sends a handshake became 3).
  private mutating func sendCiphertext(of step: HandshakeStep) -> SendOutcome {
    guard case .done(let info) = step, info.version == .tls13 else { return sendCiphertext() }
    tls?.takeOutput { wire.hold($0) }
    return .sent
  }

  private mutating func sendCiphertext() -> SendOutcome {
    guard let count = tls?.scratch.outputCount, count > 0 else { return wire.waitingBytes == 0 ? .sent : .waits }
    return tls?.takeOutput { wire.send($0) } ?? .failed
  }
}

/// How far a TLS handshake got.
enum HandshakeOutcome {
  /// `more`: the socket may hold further bytes than those at hand.
  case done(TLSInfo, more: Bool)
  case needsInput
  case failed(TLSError)
  case ended
}

/// What one read brought.
enum ReceiveOutcome {
  /// `more`: the socket may hold further bytes. `answerWaits`: what TLS says to it, or what was sent before, waits.
  case bytes(Int, more: Bool, answerWaits: Bool)
  case wouldBlock
  /// The client ended its side, or broke TLS.
  case ended
  case failed
}
