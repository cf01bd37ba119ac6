internal import CCurl

/// Gets one small document over https, on the calling thread, which waits for it.
///
/// The server's certificate is verified. Redirects are not followed, proxies of the environment not asked, cookies and
/// passwords not known.
public struct Fetch: Sendable {
  /// Where the document is; nothing but https works.
  public var url: String
  /// A PEM file of the certificates that the server's must come from; nil takes those of the system.
  public var caFile: String?
  /// The most that the document may hold, held against the announced length first and then against what comes.
  public var maxBytes: Int
  /// How long all of it may take, name resolution included.
  public var timeout: Duration

  /// Describes a fetch.
  public init(url: String, caFile: String? = nil, maxBytes: Int = 1 << 20, timeout: Duration = .seconds(10)) {
    self.url = url
    self.caFile = caFile
    self.maxBytes = maxBytes
    self.timeout = timeout
  }

  /// Gets the document; only an answer with status 200 has it.
  ///
  /// - Parameter isCancelled: asked at least once a second; true ends the fetch.
  /// - Throws: `FetchError`.
  public func perform(isCancelled: @escaping () -> Bool = { false }) throws(FetchError) -> [UInt8] {
    guard isLibraryReady, let handle = TransferHandle() else { throw .failed("libcurl cannot start") }
    let transfer = Transfer(maxBytes: maxBytes, isCancelled: isCancelled)
    try handle.prepare(self)
    let code = handle.perform(transfer)
    if transfer.isOverfull || code == CURLE_FILESIZE_EXCEEDED { throw .tooLarge(maxBytes: maxBytes) }
    if code == CURLE_ABORTED_BY_CALLBACK { throw .cancelled }
    if code == CURLE_OPERATION_TIMEDOUT { throw .timedOut }
    guard code == CURLE_OK else { throw .failed(handle.reason(of: code)) }
    guard handle.status == 200 else { throw .status(handle.status) }
    return transfer.body
  }
}

/// Why a document was not got.
public enum FetchError: Error, Equatable, Sendable, CustomStringConvertible {
  /// No connection, no trust, or no HTTP: the library's words, in which nothing of the document is.
  case failed(String)
  /// The time was over.
  case timedOut
  /// The document is, or says it is, larger than allowed.
  case tooLarge(maxBytes: Int)
  /// The answer has another status than 200; redirects are among them.
  case status(Int)
  /// The caller gave up.
  case cancelled

  /// A phrase for a log line.
  public var description: String {
    switch self {
    case .failed(let reason): reason
    case .timedOut: "timed out"
    case .tooLarge(let maxBytes): "more than \(maxBytes) bytes"
    case .status(let status): (300..<400).contains(status) ? "redirected (\(status)), which is not followed" : "status \(status)"
    case .cancelled: "cancelled"
    }
  }
}

/// What libcurl calls back with while a document comes.
final class Transfer {
  private(set) var body: [UInt8] = []
  private(set) var isOverfull = false
  private let maxBytes: Int
  let isCancelled: () -> Bool

  init(maxBytes: Int, isCancelled: @escaping () -> Bool) {
    self.maxBytes = maxBytes
    self.isCancelled = isCancelled
  }

  /// Takes bytes of the body.
  ///
  /// - Returns: whether there was room for all of them.
  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    isOverfull = bytes.count > maxBytes - body.count
    if !isOverfull { unsafe body.append(contentsOf: bytes) }
    return !isOverfull
  }
}

/// Whether libcurl has begun, once for the process.
private let isLibraryReady = sluice_curl_start() == CURLE_OK
