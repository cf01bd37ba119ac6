import CCurl

/// Owns one easy handle of libcurl, which keeps its connection from one request to the next, and the buffer of its error texts.
@safe
struct CurlHandle: ~Copyable {
  private let pointer: UnsafeMutableRawPointer
  private let errorText: UnsafeMutableBufferPointer<CChar>
  private var fields: UnsafeMutablePointer<curl_slist>?

  /// Nil without memory.
  init?() {
    guard let pointer = unsafe curl_easy_init() else { return nil }
    unsafe self.pointer = unsafe pointer
    unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    unsafe errorText.initialize(repeating: 0)
  }

  deinit {
    unsafe curl_easy_cleanup(pointer)
    unsafe curl_slist_free_all(fields)
    unsafe errorText.deallocate()
  }

  /// Forgets all options; the connection stays.
  mutating func reset() throws(TransportError) {
    unsafe curl_easy_reset(pointer)
    unsafe curl_slist_free_all(fields)
    unsafe fields = nil
    unsafe errorText.update(repeating: 0)
    try require(unsafe sluice_curl_set_error_buffer(pointer, start))
  }

  mutating func addField(_ line: String) throws(TransportError) {
    guard let longer = unsafe curl_slist_append(fields, line) else { throw .failed("no memory") }
    unsafe fields = unsafe longer
    try require(unsafe sluice_curl_set_fields(pointer, longer))
  }

  func set(_ option: CURLoption, _ text: String?) throws(TransportError) {
    try require(unsafe sluice_curl_set_text(pointer, option, text))
  }

  func set(_ option: CURLoption, _ number: Int) throws(TransportError) {
    try require(unsafe sluice_curl_set_number(pointer, option, number))
  }

  /// Runs the transfer to its end.
  func perform(_ transfer: Transfer) throws(TransportError) {
    let context = unsafe Unmanaged.passUnretained(transfer).toOpaque()
    let code = withExtendedLifetime(transfer) {
      var code = unsafe sluice_curl_on_receive(
        pointer,
        { bytes, size, count, context in
          guard let context = unsafe context else { return 0 }
          let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
          let isTaken = unsafe transfer.receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
          return isTaken ? size * count : 0
        }, context)
      guard code == CURLE_OK else { return code }
      code = unsafe sluice_curl_on_progress(
        pointer,
        { context, _, _, _, _ in
          guard let context = unsafe context else { return 1 }
          return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().isCancelled() ? 1 : 0
        }, context)
      guard code == CURLE_OK else { return code }
      return unsafe curl_easy_perform(pointer)
    }
    switch code {
    case CURLE_OK: return
    case CURLE_ABORTED_BY_CALLBACK: throw .cancelled
    case CURLE_WRITE_ERROR: throw .refusedByReceiver
    case CURLE_OPERATION_TIMEDOUT: throw .timedOut
    case CURLE_COULDNT_CONNECT: throw .notConnected(errno: unsafe sluice_curl_system_error(pointer), reason(of: code))
    default: throw .failed(reason(of: code))
    }
  }

  /// The status of the answer, once its head is there; 0 before.
  var status: Int { unsafe sluice_curl_status(pointer) }

  private func reason(of code: CURLcode) -> String {
    let text = unsafe String(cString: start)
    return unsafe text.isEmpty ? String(cString: curl_easy_strerror(code)) : text
  }

  private var start: UnsafeMutablePointer<CChar> {
    // Allocated with a capacity, so it has an address.
    unsafe errorText.baseAddress.unsafelyUnwrapped
  }

  private func require(_ code: CURLcode) throws(TransportError) {
    guard code == CURLE_OK else { throw .failed(unsafe String(cString: curl_easy_strerror(code))) }
  }

  /// Whether libcurl has begun, once for the process.
  static let isLibraryReady = sluice_curl_start() == CURLE_OK
}

/// Why there is no answer.
enum TransportError: Error {
  /// Nobody took the connection; the system's error number, and the library's words.
  case notConnected(errno: Int32, String)
  /// The time was over.
  case timedOut
  /// The caller gave up.
  case cancelled
  /// The caller wants no more of the body.
  case refusedByReceiver
  /// Anything else, in the library's words.
  case failed(String)
}

/// What libcurl calls back with while an answer comes.
final class Transfer {
  private let receiver: ([UInt8]) -> Bool
  let isCancelled: () -> Bool

  /// Makes a transfer; `receiver` says whether it wants more.
  init(isCancelled: @escaping () -> Bool, receiver: @escaping ([UInt8]) -> Bool) {
    self.isCancelled = isCancelled
    self.receiver = receiver
  }

  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    unsafe receiver(Array(bytes))
  }
}
