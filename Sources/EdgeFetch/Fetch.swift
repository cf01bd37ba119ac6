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
    var transfer = Transfer(url: url, scheme: .https, userAgent: "sluice", patience: .total(timeout))
    transfer.caFile = caFile
    transfer.fields = ["Accept: application/jwk-set+json, application/json"]
    transfer.maxAnnouncedBytes = maxBytes
    var body: [UInt8] = []
    let status: Int
    do throws(TransferError) {
      var handle = try TransferHandle()
      status = try handle.perform(transfer, isCancelled: isCancelled) { bytes, _ in
        guard bytes.count <= maxBytes - body.count else { return false }
        body += bytes
        return true
      }
    } catch {
      throw FetchError(error, maxBytes: maxBytes)
    }
    guard status == 200 else { throw .status(status) }
    return body
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

extension FetchError {
  fileprivate init(_ error: TransferError, maxBytes: Int) {
    self =
      switch error {
      case .tooLarge, .refusedByReceiver: .tooLarge(maxBytes: maxBytes)
      case .cancelled: .cancelled
      case .timedOut: .timedOut
      case .notConnected(_, let reason), .failed(let reason): .failed(reason)
      }
  }
}
