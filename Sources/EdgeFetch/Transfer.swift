/// One HTTP request, and what its answer may take.
///
/// Redirects are never followed, proxies of the environment not asked, passwords in an address not taken.
public struct Transfer: Sendable {
  /// Where it goes: `http` or `https`, as `scheme` says.
  public var url: String
  /// The one scheme that `url` may have.
  public var scheme: Scheme
  /// The Unix socket to connect to, whatever host the address names.
  public var unixSocket: String?
  /// A PEM file of the certificates that the server's must come from; nil takes those of the system.
  public var caFile: String?
  /// The method of the request.
  public var method = "GET"
  /// Its fields, each as `Name: value`; those that HTTP needs are added.
  public var fields: [String] = []
  /// Its content; its type is among the fields.
  public var body: String?
  /// The program's name.
  public var userAgent: String
  /// How long connecting may take, name resolution included; nil is as long as all of it.
  public var connectTimeout: Duration?
  /// How long the answer may take.
  public var patience: Patience
  /// The most that the answer may announce, in bytes; nil is no bound. What comes is bounded by whoever receives it.
  public var maxAnnouncedBytes: Int?

  /// Describes a transfer.
  public init(url: String, scheme: Scheme, userAgent: String, patience: Patience) {
    self.url = url
    self.scheme = scheme
    self.userAgent = userAgent
    self.patience = patience
  }

  /// What is spoken.
  public enum Scheme: String, Sendable {
    /// Without TLS.
    case http
    /// TLS 1.2 or later; the server's certificate is verified.
    case https
  }

  /// How long to wait.
  public enum Patience: Sendable {
    /// All of it may take so long, from the name's resolution to the last byte.
    case total(Duration)
    /// It may take for ever, but not be silent for so long; whole seconds.
    case silence(Duration)
  }
}

/// Why a transfer brought no answer.
public enum TransferError: Error, Equatable, Sendable {
  /// Nobody took the connection; the system's error number, and the library's words.
  case notConnected(errno: Int32, String)
  /// The time was over.
  case timedOut
  /// The caller gave up.
  case cancelled
  /// The receiver wants no more of the body.
  case refusedByReceiver
  /// The body says that it is larger than allowed.
  case tooLarge
  /// Anything else, in the library's words, in which nothing of the answer is.
  case failed(String)
}
