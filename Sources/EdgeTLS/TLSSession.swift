import COpenSSL

/// What `TLSSession.handshake` came to. Whatever it is, the scratch's output may hold bytes to send.
public enum HandshakeStep: Sendable, Equatable {
  /// Both sides agree; application data may follow in the same input.
  case done(TLSInfo)
  /// The input is used up.
  case needsInput
  /// The handshake is over; the output holds the alert for the peer, if one is due.
  case failed(TLSError)
}

/// What `TLSSession.read` came to. Whatever it is, the scratch's output may hold bytes to send.
public enum ReadStep: Sendable, Equatable {
  /// That many bytes of plaintext; read again before the scratch serves another session.
  case bytes(Int)
  /// The input is used up.
  case needsInput
  /// The peer sent close_notify: the orderly end.
  case closed
  /// The session is broken; the output holds the alert for the peer, if one is due.
  case failed(TLSError)
}

/// One TLS connection over the scratch of its thread (RFC 8446, RFC 5246). Does no I/O.
///
/// Per receive: fill `scratch.input`, `offer`, then `handshake` or `read` until `.needsInput`, and send the scratch's output.
@safe
public struct TLSSession: ~Copyable {
  /// What a peer may send before its handshake is complete, in bytes. A ClientHello takes under 2 KiB.
  public static let maxHandshakeBytes = 65_536

  /// Named in no other file, but for tests that make a peer misbehave.
  let ssl: OpaquePointer
  /// The buffers of its thread.
  public let scratch: TLSScratch
  /// Keeps what the callbacks of a handshake look at.
  private let context: AnyObject
  private var phase: Phase

  /// Where a session stands.
  private enum Phase {
    case handshake(receivedBytes: Int)
    case open
    /// Every further read gives the same answer.
    case ended(ReadStep)
  }

  /// Makes the server's side of a connection.
  ///
  /// - Throws: `TLSError.resources` when OpenSSL has no memory.
  public init(server context: TLSServerContext, scratch: TLSScratch) throws(TLSError) {
    let ssl = try unsafe Self.makeSSL(context.defaultContext, scratch)
    unsafe SSL_set_accept_state(ssl)
    unsafe self.init(ssl, keeping: context, scratch: scratch)
  }

  /// Makes the client's side of a connection.
  ///
  /// - Parameters:
  ///   - serverName: the name to ask for, and to verify where the context verifies; no IP address.
  ///   - ticket: a session of an earlier connection to resume.
  /// - Throws: `TLSError.resources` when OpenSSL has no memory.
  public init(
    client context: TLSClientContext, scratch: TLSScratch, serverName: String? = nil, resuming ticket: TLSClientTicket? = nil
  ) throws(TLSError) {
    let ssl = try unsafe Self.makeSSL(context.handle, scratch)
    unsafe SSL_set_connect_state(ssl)
    var isSet = true
    if let serverName {
      isSet = unsafe sluice_ssl_set_server_name(ssl, serverName) == 1 && SSL_set1_host(ssl, serverName) == 1
    }
    if let ticket { isSet = unsafe isSet && SSL_set_session(ssl, ticket.session) == 1 }
    guard isSet else {
      unsafe SSL_free(ssl)
      throw .resources
    }
    unsafe self.init(ssl, keeping: context, scratch: scratch)
  }

  /// Takes over `ssl`.
  private init(_ ssl: OpaquePointer, keeping context: AnyObject, scratch: TLSScratch) {
    unsafe self.ssl = unsafe ssl
    self.scratch = scratch
    self.context = context
    phase = .handshake(receivedBytes: 0)
  }

  private static func makeSSL(_ context: ContextHandle, _ scratch: TLSScratch) throws(TLSError) -> OpaquePointer {
    guard let ssl = unsafe SSL_new(context.pointer) else { throw .resources }
    // Given as both directions, the BIO costs one reference.
    unsafe BIO_up_ref(scratch.bio)
    unsafe SSL_set_bio(ssl, scratch.bio, scratch.bio)
    return unsafe ssl
  }

  deinit {
    // Without this, OpenSSL takes a lock of the whole context to forget a session whose connection was cut, and a client
    // could not resume it; no standard asks for that any more (RFC 5246 §7.2.1).
    unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
    unsafe SSL_free(ssl)
  }

  /// Goes on with the handshake as far as the offered input carries. A client calls it once without input, to begin.
  public mutating func handshake() -> HandshakeStep {
    let receivedBytes: Int
    switch phase {
    case .handshake(receivedBytes: let count): receivedBytes = count + scratch.unreadCount
    case .open: return .done(info)
    case .ended(let step):
      scratch.discardInput()
      if case .failed(let error) = step { return .failed(error) }
      return .done(info)
    }
    // It empties the error queue itself, before it begins.
    let result = unsafe SSL_do_handshake(ssl)
    if result == 1 {
      phase = .open
      unsafe sluice_ssl_forget_key_exchange(ssl)
      ErrorQueue.clear()
      return .done(info)
    }
    if unsafe SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ {
      guard receivedBytes <= Self.maxHandshakeBytes else { return .failed(fail(.handshakeTooLarge)) }
      phase = .handshake(receivedBytes: receivedBytes)
      return .needsInput
    }
    guard !scratch.isAtEnd || ERR_peek_error() != 0 else { return .failed(fail(.truncated)) }
    return .failed(fail(.fromQueue(verifyResult: unsafe SSL_get_verify_result(ssl))))
  }

  /// Says that the first `count` bytes of the scratch's input are this session's, whose turn it is.
  public func offer(_ count: Int) {
    scratch.offer(count: count)
  }

  /// Calls `body` with what waits to be sent, and drops it.
  public func takeOutput<Outcome>(_ body: (Span<UInt8>) -> Outcome) -> Outcome {
    defer { scratch.clearOutput() }
    return scratch.withOutput(body)
  }

  /// Decrypts the offered input into `plaintext`, as many records as fit.
  ///
  /// A buffer of `TLSScratch.plaintextBytes` takes all that one `offer` can bring.
  public mutating func read(into plaintext: UnsafeMutableRawBufferPointer) -> ReadStep {
    switch phase {
    case .open: break
    case .ended(let step):
      scratch.discardInput()
      return step
    case .handshake: preconditionFailure("read before the handshake is done")
    }
    var filled = 0
    while filled < plaintext.count, let base = plaintext.baseAddress, hasInput {
      var count = 0
      let result = unsafe SSL_read_ex(ssl, base + filled, plaintext.count - filled, &count)
      if result == 1 {
        filled += count
        continue
      }
      guard let end = endOfReading(result) else { break }
      phase = .ended(end)
      scratch.discardInput()
      return filled > 0 ? .bytes(filled) : end
    }
    return filled > 0 ? .bytes(filled) : .needsInput
  }

  /// Encrypts all of `bytes` to the scratch's output, in records of at most 16 KiB.
  ///
  /// - Returns: false when the session is broken. After the peer's close_notify, writing still works.
  public mutating func write(_ bytes: Span<UInt8>) -> Bool {
    switch phase {
    case .open, .ended(.closed): break
    case .ended: return false
    case .handshake: preconditionFailure("write before the handshake is done")
    }
    guard !bytes.isEmpty else { return true }
    // Without partial writes and with an output that always has room, one call encrypts everything.
    let result = unsafe bytes.withUnsafeBufferPointer { bytes in
      var written = 0
      return unsafe SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &written)
    }
    if result != 1 { _ = fail(.fromQueue()) }
    return result == 1
  }

  /// Puts a close_notify into the output, once; reading goes on. Does nothing in a session that is not open.
  public mutating func closeNotify() {
    switch phase {
    case .open, .ended(.closed):
      ErrorQueue.clear()
      if unsafe SSL_shutdown(ssl) < 0 { ErrorQueue.clear() }
    case .handshake, .ended: break
    }
  }

  /// What the handshake agreed on; of use once it is done.
  public var info: TLSInfo {
    let cipher = unsafe SSL_get_current_cipher(ssl)
    return unsafe TLSInfo(
      version: SSL_version(ssl) == TLS1_2_VERSION ? .tls12 : .tls13,
      cipher: CipherSuite(rawValue: cipher == nil ? 0 : SSL_CIPHER_get_protocol_id(cipher)),
      applicationProtocol: applicationProtocol,
      isResumed: SSL_session_reused(ssl) == 1)
  }

  /// Whether the handshake is done and neither side has ended the session.
  public var isOpen: Bool {
    if case .open = phase { true } else { false }
  }

  /// A client's means to resume this session later; in TLS 1.3 it comes with the first data of the server.
  public func resumptionTicket() -> TLSClientTicket? {
    guard let session = unsafe SSL_get1_session(ssl) else { return nil }
    return unsafe TLSClientTicket(taking: session)
  }

  private var applicationProtocol: String? {
    var bytes: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    unsafe SSL_get0_alpn_selected(ssl, &bytes, &count)
    guard let bytes = unsafe bytes else { return nil }
    return unsafe String(decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
  }

  /// Whether a read could bring anything: offered bytes, an end to report, or bytes of a record that OpenSSL holds.
  ///
  /// Asking spares the call that would only answer "want read", with a buffer allocated and freed for it.
  private var hasInput: Bool {
    scratch.unreadCount > 0 || scratch.isAtEnd || (unsafe SSL_has_pending(ssl) == 1)
  }

  /// What a failed read means: nil when only more input is needed, which shows without asking the error queue.
  private func endOfReading(_ result: Int32) -> ReadStep? {
    if unsafe SSL_want(ssl) == SSL_READING && !scratch.isAtEnd { return nil }
    if unsafe SSL_get_error(ssl, result) == SSL_ERROR_ZERO_RETURN { return .closed }
    return .failed(scratch.isAtEnd && ERR_peek_error() == 0 ? .truncated : .fromQueue())
  }

  /// Ends the session: no read, write or alert follows, and the next session sees none of its input.
  private mutating func fail(_ error: TLSError) -> TLSError {
    phase = .ended(.failed(error))
    scratch.discardInput()
    ERR_clear_error()
    return error
  }
}
