import COpenSSL

/// The ciphertext buffers that all TLS sessions of one thread share.
///
/// One session uses it at a time: bytes from the peer go into `input`, are announced with `offer`, and must be drained
/// (`handshake` or `read` until `.needsInput`) before another session takes its turn. What a session wants sent
/// stands in the output until `clearOutput`. So an idle session owns no buffer.
@safe
public final class TLSScratch {
  /// Where the caller receives ciphertext.
  public let input: UnsafeMutableRawBufferPointer

  /// The room that one `read` needs to take everything an `input` can hold, in bytes: the input and one earlier record.
  public var plaintextBytes: Int { unsafe input.count + maxRecordBytes }

  /// The one BIO of the thread: every session holds a reference, none adds state of its own.
  let bio: OpaquePointer
  private let window: UnsafeMutablePointer<Window>

  /// Allocates the buffers.
  ///
  /// - Parameter inputBytes: the size of `input`.
  /// - Throws: `TLSError.resources` when OpenSSL has no memory.
  public init(inputBytes: Int = 65_536) throws(TLSError) {
    guard let method = unsafe scratchMethod, let bio = unsafe BIO_new(method) else { throw .resources }
    unsafe self.bio = bio
    unsafe input = .allocate(byteCount: inputBytes, alignment: 64)
    unsafe window = .allocate(capacity: 1)
    unsafe window.initialize(to: Window(input: input))
    unsafe BIO_set_data(bio, window)
    unsafe BIO_set_init(bio, 1)
  }

  deinit {
    unsafe BIO_free(bio)
    unsafe window.pointee.output.deallocate()
    unsafe window.deinitialize(count: 1)
    unsafe window.deallocate()
    unsafe input.deallocate()
  }

  /// Says that the first `count` bytes of `input` are the next ciphertext of the session whose turn it is.
  ///
  /// - Parameter ended: the peer will send no more; a session that needs more then fails with `.truncated`.
  public func offer(count: Int, ended: Bool = false) {
    unsafe precondition(count >= 0 && count <= input.count)
    assert(unreadCount == 0, "the session before did not drain its input")
    setInput(count: count, ended: ended)
  }

  private func setInput(count: Int, ended: Bool) {
    unsafe window.pointee.read = 0
    unsafe window.pointee.filled = count
    unsafe window.pointee.ended = ended
  }

  /// How many offered bytes no session has taken yet.
  public var unreadCount: Int { unsafe window.pointee.filled - window.pointee.read }

  /// Forgets offered bytes, as when their session failed: the next one must not see them.
  public func discardInput() { setInput(count: 0, ended: false) }

  /// How many bytes wait to be sent.
  public var outputCount: Int { unsafe window.pointee.written }

  /// Calls `body` with the ciphertext that waits to be sent.
  public func withOutput<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    let start = unsafe window.pointee.output.assumingMemoryBound(to: UInt8.self)
    return unsafe body(Span(_unsafeStart: start, count: window.pointee.written))
  }

  /// Drops the output after it was sent or copied; gives back the memory of an unusually large one.
  public func clearOutput() {
    unsafe window.pointee.written = 0
    if unsafe window.pointee.capacity > keptOutputBytes { unsafe window.pointee.replaceOutput(capacity: usualOutputBytes) }
  }

  /// Fills whole words with what is random, and need not stay secret, for a session over a scratch.
  @unsafe
  static func fillWithRandom(_ bytes: UnsafeMutableRawBufferPointer, for ssl: OpaquePointer) {
    guard let window = unsafe BIO_get_data(SSL_get_rbio(ssl)) else { preconditionFailure("every session has its scratch") }
    unsafe window.assumingMemoryBound(to: Window.self).pointee.random.fill(bytes)
  }

  /// Whether the input is used up and nothing more will come.
  var isAtEnd: Bool { unsafe window.pointee.ended && window.pointee.read == window.pointee.filled }
}

/// What the BIO's callbacks work on. Lives at a fixed address, in a `TLSScratch`.
@unsafe
private struct Window: ~Copyable {
  let input: UnsafeMutableRawBufferPointer
  var read = 0
  var filled = 0
  var ended = false
  var output: UnsafeMutableRawPointer
  var written = 0
  var capacity: Int
  var random = RandomSupply()

  init(input: UnsafeMutableRawBufferPointer) {
    unsafe self.input = unsafe input
    unsafe capacity = usualOutputBytes
    unsafe output = .allocate(byteCount: usualOutputBytes, alignment: 64)
  }

  /// Copies out as much as is there, at most `count` bytes.
  mutating func take(into destination: UnsafeMutableRawPointer, count: Int) -> Int {
    let taken = unsafe min(count, filled - read)
    guard taken > 0, let base = unsafe input.baseAddress else { return 0 }
    unsafe destination.copyMemory(from: base + read, byteCount: taken)
    unsafe read += taken
    return taken
  }

  mutating func append(_ source: UnsafeRawPointer, count: Int) {
    if unsafe written + count > capacity { unsafe replaceOutput(capacity: max(2 * capacity, written + count)) }
    unsafe (output + written).copyMemory(from: source, byteCount: count)
    unsafe written += count
  }

  /// Moves the output to a buffer of another size, which must hold what is written.
  mutating func replaceOutput(capacity: Int) {
    let replacement = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
    unsafe replacement.copyMemory(from: output, byteCount: written)
    unsafe output.deallocate()
    unsafe output = unsafe replacement
    unsafe self.capacity = capacity
  }
}

private func scratchRead(
  bio: OpaquePointer?, bytes: UnsafeMutablePointer<CChar>?, count: Int, taken: UnsafeMutablePointer<Int>?
) -> Int32 {
  unsafe sluice_bio_clear_retry(bio)
  guard let bytes = unsafe bytes, let taken = unsafe taken, let data = unsafe BIO_get_data(bio) else { return 0 }
  let window = unsafe data.assumingMemoryBound(to: Window.self)
  unsafe taken.pointee = unsafe window.pointee.take(into: UnsafeMutableRawPointer(bytes), count: count)
  if unsafe taken.pointee > 0 { return 1 }
  if unsafe !window.pointee.ended { unsafe sluice_bio_retry_read(bio) }
  return 0
}

private func scratchWrite(
  bio: OpaquePointer?, bytes: UnsafePointer<CChar>?, count: Int, written: UnsafeMutablePointer<Int>?
) -> Int32 {
  unsafe sluice_bio_clear_retry(bio)
  guard let bytes = unsafe bytes, let written = unsafe written, let data = unsafe BIO_get_data(bio) else { return 0 }
  let window = unsafe data.assumingMemoryBound(to: Window.self)
  unsafe window.pointee.append(UnsafeRawPointer(bytes), count: count)
  unsafe written.pointee = count
  return 1
}

/// Flushing succeeds, since the output is memory; nothing else is supported.
private func scratchControl(
  bio: OpaquePointer?, command: Int32, number: Int, pointer: UnsafeMutableRawPointer?
) -> Int {
  command == BIO_CTRL_FLUSH ? 1 : 0
}

/// The BIO's kind, registered once for the process, and not changed after that.
nonisolated(unsafe) private let scratchMethod: OpaquePointer? = {
  guard let method = unsafe BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "scratch"),
    unsafe BIO_meth_set_read_ex(method, scratchRead) == 1,
    unsafe BIO_meth_set_write_ex(method, scratchWrite) == 1,
    unsafe BIO_meth_set_ctrl(method, scratchControl) == 1
  else { return nil }
  return unsafe method
}()

/// Ciphertext of one record at most: 16 KiB, 2 KiB of expansion and the header (RFC 5246 §6.2.3).
private let maxRecordBytes = 16_384 + 2_048 + 5
private let usualOutputBytes = 98_304
private let keptOutputBytes = 262_144
