internal import CCurl

/// Owns one easy handle of libcurl, and the buffer of its error texts.
@safe
struct TransferHandle: ~Copyable {
  private let pointer: UnsafeMutableRawPointer
  private let errorText: UnsafeMutableBufferPointer<CChar>
  private let fields: UnsafeMutablePointer<curl_slist>

  /// Nil without memory.
  init?() {
    guard let pointer = unsafe curl_easy_init() else { return nil }
    guard let fields = unsafe curl_slist_append(nil, "Accept: application/jwk-set+json, application/json") else {
      unsafe curl_easy_cleanup(pointer)
      return nil
    }
    unsafe self.pointer = unsafe pointer
    unsafe self.fields = unsafe fields
    unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
    unsafe errorText.initialize(repeating: 0)
  }

  deinit {
    unsafe curl_easy_cleanup(pointer)
    unsafe curl_slist_free_all(fields)
    unsafe errorText.deallocate()
  }

  /// Sets all that a fetch asks for.
  ///
  /// - Throws: `FetchError.failed` when the library does not know an option: then nothing may go out.
  func prepare(_ fetch: Fetch) throws(FetchError) {
    try set(CURLOPT_URL, fetch.url)
    try set(CURLOPT_PROTOCOLS_STR, "https")
    try set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
    try set(CURLOPT_FOLLOWLOCATION, 0)
    // An empty text, unlike none, keeps the proxies of the environment out.
    try set(CURLOPT_PROXY, "")
    try set(CURLOPT_SSL_VERIFYPEER, 1)
    try set(CURLOPT_SSL_VERIFYHOST, 2)
    try set(CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
    if let caFile = fetch.caFile {
      try set(CURLOPT_CAINFO, caFile)
      // Or the system's directory of certificates would count beside the file.
      try set(CURLOPT_CAPATH, nil)
    }
    try set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
    try set(CURLOPT_USERAGENT, "sluice")
    try set(CURLOPT_NOSIGNAL, 1)
    try set(CURLOPT_TIMEOUT_MS, Int(clamping: fetch.timeout.milliseconds))
    try require(unsafe sluice_curl_set_size(pointer, CURLOPT_MAXFILESIZE_LARGE, curl_off_t(fetch.maxBytes)))
    try require(unsafe sluice_curl_set_fields(pointer, fields))
    try require(unsafe sluice_curl_set_error_buffer(pointer, start))
  }

  /// Runs the transfer to its end.
  func perform(_ transfer: Transfer) -> CURLcode {
    let context = unsafe Unmanaged.passUnretained(transfer).toOpaque()
    return withExtendedLifetime(transfer) {
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
      code = unsafe curl_easy_perform(pointer)
      // A name server that does not answer must not hold up who has given up.
      if code == CURLE_ABORTED_BY_CALLBACK { _ = unsafe sluice_curl_set_number(pointer, CURLOPT_QUICK_EXIT, 1) }
      return code
    }
  }

  /// The status of the answer; 0 if there was none.
  var status: Int { unsafe sluice_curl_status(pointer) }

  /// The library's words for a failure.
  func reason(of code: CURLcode) -> String {
    let text = unsafe String(cString: start)
    return unsafe text.isEmpty ? String(cString: curl_easy_strerror(code)) : text
  }

  private var start: UnsafeMutablePointer<CChar> {
    // Allocated with a capacity, so it has an address.
    unsafe errorText.baseAddress.unsafelyUnwrapped
  }

  private func set(_ option: CURLoption, _ text: String?) throws(FetchError) {
    try require(unsafe sluice_curl_set_text(pointer, option, text))
  }

  private func set(_ option: CURLoption, _ number: Int) throws(FetchError) {
    try require(unsafe sluice_curl_set_number(pointer, option, number))
  }

  private func require(_ code: CURLcode) throws(FetchError) {
    guard code == CURLE_OK else { throw .failed(unsafe String(cString: curl_easy_strerror(code))) }
  }
}

extension Duration {
  fileprivate var milliseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000 + attoseconds / 1_000_000_000_000_000
  }
}
