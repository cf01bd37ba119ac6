internal import CCurl

/// Owns one easy handle of libcurl, which keeps its connection from one transfer to the next, and the buffer of its error texts.
@safe
public struct TransferHandle: ~Copyable {
  private let pointer: UnsafeMutableRawPointer
  private let errorText: UnsafeMutableBufferPointer<CChar>
  /// The fields of the last transfer: the library does not copy them.
  private var fields = FieldList()

  /// Makes a handle.
  ///
  /// - Throws: `TransferError.failed` where the library cannot start, or has no memory.
  public init() throws(TransferError) {
    guard isLibraryReady, let pointer = unsafe curl_easy_init() else { throw .failed("libcurl cannot start") }
    unsafe self.pointer = unsafe pointer
    unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    unsafe errorText.initialize(repeating: 0)
  }

  deinit {
    unsafe curl_easy_cleanup(pointer)
    unsafe errorText.deallocate()
  }

  /// Runs a transfer to its end, on the calling thread, which waits for it.
  ///
  /// - Parameters:
  ///   - isCancelled: asked at least once a second; true ends the transfer.
  ///   - receive: gets the body as it comes, with the answer's status; false ends the transfer.
  /// - Returns: the answer's status.
  /// - Throws: `TransferError`; nothing has gone out where the library does not know an option.
  public mutating func perform(
    _ transfer: Transfer, isCancelled: @escaping () -> Bool, receive: @escaping (_ bytes: [UInt8], _ status: Int) -> Bool
  ) throws(TransferError) -> Int {
    unsafe curl_easy_reset(pointer)
    unsafe errorText.update(repeating: 0)
    fields = FieldList()
    for field in transfer.fields { try fields.add(field) }
    try prepare(transfer)
    let handle = unsafe pointer
    try run(Observer(isCancelled: isCancelled, receive: { receive($0, unsafe sluice_curl_status(handle)) }))
    return unsafe sluice_curl_status(pointer)
  }

  private func prepare(_ transfer: Transfer) throws(TransferError) {
    try require(unsafe sluice_curl_set_error_buffer(pointer, start))
    try set(CURLOPT_URL, transfer.url)
    try set(CURLOPT_PROTOCOLS_STR, transfer.scheme.rawValue)
    try set(CURLOPT_PATH_AS_IS, 1)
    try set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
    try set(CURLOPT_FOLLOWLOCATION, 0)
    // An empty text, unlike none, keeps the proxies of the environment out.
    try set(CURLOPT_PROXY, "")
    try set(CURLOPT_SSL_VERIFYPEER, 1)
    try set(CURLOPT_SSL_VERIFYHOST, 2)
    try set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
    if let caFile = transfer.caFile {
      try set(CURLOPT_CAINFO, caFile)
      // Or the system's directory of certificates would count beside the file.
      try set(CURLOPT_CAPATH, nil)
    }
    if let path = transfer.unixSocket { try set(CURLOPT_UNIX_SOCKET_PATH, path) }
    try set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
    try set(CURLOPT_USERAGENT, transfer.userAgent)
    try set(CURLOPT_CUSTOMREQUEST, transfer.method)
    try require(unsafe sluice_curl_set_fields(pointer, fields.first))
    if let body = transfer.body { try set(CURLOPT_COPYPOSTFIELDS, body) }
    try set(CURLOPT_NOSIGNAL, 1)
    if let limit = transfer.connectTimeout { try set(CURLOPT_CONNECTTIMEOUT_MS, limit.milliseconds) }
    switch transfer.patience {
    case .total(let limit): try set(CURLOPT_TIMEOUT_MS, limit.milliseconds)
    case .silence(let limit):
      try set(CURLOPT_LOW_SPEED_LIMIT, 1)
      try set(CURLOPT_LOW_SPEED_TIME, limit.milliseconds / 1_000)
    }
    if let most = transfer.maxAnnouncedBytes {
      try require(unsafe sluice_curl_set_size(pointer, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(most)))
    }
  }

  private func run(_ observer: Observer) throws(TransferError) {
    let context = unsafe Unmanaged.passUnretained(observer).toOpaque()
    try require(
      unsafe sluice_curl_on_receive(
        pointer,
        { bytes, size, count, context in
          guard let context = unsafe context else { return 0 }
          let observer = unsafe Unmanaged<Observer>.fromOpaque(context).takeUnretainedValue()
          return unsafe observer.receive(Array(UnsafeRawBufferPointer(start: bytes, count: size * count))) ? size * count : 0
        }, context))
    try require(
      unsafe sluice_curl_on_progress(
        pointer,
        { context, _, _, _, _ in
          guard let context = unsafe context else { return 1 }
          return unsafe Unmanaged<Observer>.fromOpaque(context).takeUnretainedValue().isCancelled() ? 1 : 0
        }, context))
    let code = withExtendedLifetime(observer) { unsafe curl_easy_perform(pointer) }
    guard code != CURLE_OK else { return }
    // A name server that does not answer must not hold up who has given up.
    if code == CURLE_ABORTED_BY_CALLBACK { try set(CURLOPT_QUICK_EXIT, 1) }
    throw failure(code)
  }

  private func failure(_ code: CURLcode) -> TransferError {
    switch code {
    case CURLE_ABORTED_BY_CALLBACK: .cancelled
    case CURLE_WRITE_ERROR: .refusedByReceiver
    case CURLE_OPERATION_TIMEDOUT: .timedOut
    case CURLE_FILESIZE_EXCEEDED: .tooLarge
    case CURLE_COULDNT_CONNECT: .notConnected(errno: unsafe sluice_curl_system_error(pointer), reason(of: code))
    default: .failed(reason(of: code))
    }
  }

  private func reason(of code: CURLcode) -> String {
    let text = unsafe String(cString: start)
    return unsafe text.isEmpty ? String(cString: curl_easy_strerror(code)) : text
  }

  private var start: UnsafeMutablePointer<CChar> {
    // Allocated with a capacity, so it has an address.
    unsafe errorText.baseAddress.unsafelyUnwrapped
  }

  private func set(_ option: CURLoption, _ text: String?) throws(TransferError) {
    try require(unsafe sluice_curl_set_text(pointer, option, text))
  }

  private func set(_ option: CURLoption, _ number: Int) throws(TransferError) {
    try require(unsafe sluice_curl_set_number(pointer, option, number))
  }

  private func require(_ code: CURLcode) throws(TransferError) {
    guard code == CURLE_OK else { throw .failed(unsafe String(cString: curl_easy_strerror(code))) }
  }
}

/// Owns the fields of a request, as libcurl keeps them.
@safe
private struct FieldList: ~Copyable {
  private(set) var first: UnsafeMutablePointer<curl_slist>?

  mutating func add(_ line: String) throws(TransferError) {
    guard let longer = unsafe curl_slist_append(first, line) else { throw .failed("no memory") }
    unsafe first = unsafe longer
  }

  deinit {
    unsafe curl_slist_free_all(first)
  }
}

/// What libcurl calls back with while an answer comes.
private final class Observer {
  let isCancelled: () -> Bool
  let receive: ([UInt8]) -> Bool

  init(isCancelled: @escaping () -> Bool, receive: @escaping ([UInt8]) -> Bool) {
    self.isCancelled = isCancelled
    self.receive = receive
  }
}

extension Duration {
  fileprivate var milliseconds: Int {
    let (seconds, attoseconds) = components
    return Int(clamping: seconds * 1_000 + attoseconds / 1_000_000_000_000_000)
  }
}

/// Whether libcurl has begun, once for the process.
private let isLibraryReady = sluice_curl_start() == CURLE_OK
