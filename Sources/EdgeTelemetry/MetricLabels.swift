/// A label with a small, fixed set of values: its raw value is an index into an array of counters, its word stands in
/// the exposition.
protocol MetricLabel: CaseIterable, RawRepresentable<Int> {
  var word: String { get }
}

/// Which way a message went, seen from the edge's client side.
public enum MessageDirection: Int, MetricLabel, Sendable {
  /// From the client, to the worker.
  case received
  /// To the client, from the worker.
  case sent

  /// The label's value.
  public var word: String {
    switch self {
    case .received: "received"
    case .sent: "sent"
    }
  }
}

/// What a message holds (RFC 6455 §5.6).
public enum MessageType: Int, MetricLabel, Sendable {
  /// UTF-8 text.
  case text
  /// Any bytes.
  case binary

  /// The label's value.
  public var word: String {
    switch self {
    case .text: "text"
    case .binary: "binary"
    }
  }
}

/// The HTTP version a client's connection came by.
public enum ClientProtocol: Int, MetricLabel, Sendable {
  /// HTTP/1.1 with `Upgrade`.
  case http1
  /// HTTP/2 with extended CONNECT (RFC 8441).
  case http2

  /// The label's value, which is the configuration's word too.
  public var word: String {
    switch self {
    case .http1: "http/1.1"
    case .http2: "h2"
    }
  }
}

/// Whose bytes broke the protocol.
public enum ProtocolSide: Int, MetricLabel, Sendable {
  /// The client's.
  case client
  /// The worker's.
  case worker

  /// The label's value.
  public var word: String {
    switch self {
    case .client: "client"
    case .worker: "worker"
    }
  }
}

/// How an opening handshake ended; the same word is log key and the reason a client reads.
public enum HandshakeResult: Int, MetricLabel, Sendable {
  /// The connection is open.
  case accepted
  /// The Origin is not on the route's list, or missing.
  case originDenied
  /// The route asks for a token and none was sent.
  case tokenMissing
  /// The token is malformed, or its signature, issuer or audience is wrong.
  case tokenInvalid
  /// The token's time is over.
  case tokenExpired
  /// The address has its share of connections or handshakes.
  case ipLimit
  /// The user has their share of connections or handshakes.
  case userLimit
  /// The whole edge is full.
  case edgeLimit
  /// A rule keeps the user or address out.
  case banned
  /// No route matches.
  case noRoute
  /// The pool has no usable worker.
  case noWorker
  /// The worker answered something that is no handshake.
  case workerError
  /// The client's request is no valid handshake.
  case badRequest
  /// The client or the worker took too long.
  case timeout
  /// The client was gone before it got an answer.
  case abandoned

  /// The label's value.
  public var word: String {
    switch self {
    case .accepted: "accepted"
    case .originDenied: "origin_denied"
    case .tokenMissing: "token_missing"
    case .tokenInvalid: "token_invalid"
    case .tokenExpired: "token_expired"
    case .ipLimit: "ip_limit"
    case .userLimit: "user_limit"
    case .edgeLimit: "edge_limit"
    case .banned: "banned"
    case .noRoute: "no_route"
    case .noWorker: "no_worker"
    case .workerError: "worker_error"
    case .badRequest: "bad_request"
    case .timeout: "timeout"
    case .abandoned: "abandoned"
    }
  }
}

/// How a TLS handshake ended.
public enum TLSHandshakeResult: Int, MetricLabel, Sendable {
  /// Both sides hold keys.
  case completed
  /// OpenSSL refused what the client sent, or the client refused ours.
  case failed
  /// The client went away first.
  case abandoned
  /// The deadline passed.
  case timeout

  /// The label's value.
  public var word: String {
    switch self {
    case .completed: "ok"
    case .failed: "failed"
    case .abandoned: "abandoned"
    case .timeout: "timeout"
    }
  }
}

/// What the cache of verified tokens knew of a token.
public enum TokenCacheResult: Int, MetricLabel, Sendable {
  /// It was verified before, and its time is not over.
  case hit
  /// Nothing: its signature has to be checked.
  case miss
  /// It was verified before, and has expired since.
  case expired

  /// The label's value.
  public var word: String {
    switch self {
    case .hit: "hit"
    case .miss: "miss"
    case .expired: "expired"
    }
  }
}

/// The TLS version that a handshake agreed on.
public enum TLSVersionLabel: Int, MetricLabel, Sendable {
  /// None yet: the handshake failed before.
  case none
  /// TLS 1.2.
  case tls12
  /// TLS 1.3.
  case tls13

  /// The label's value.
  public var word: String {
    switch self {
    case .none: "none"
    case .tls12: "1.2"
    case .tls13: "1.3"
    }
  }
}

/// The close codes that have a series of their own; a peer's other codes count as `other`, so that no peer can make series.
enum CloseCodeLabel {
  static let words = (1000...1015).map(String.init) + applicationCodes.map { String($0) } + ["other"]

  static func index(of code: UInt16) -> Int {
    if (1000...1015).contains(code) { return Int(code) - 1000 }
    return 16 + (applicationCodes.firstIndex(of: code) ?? applicationCodes.count)
  }

  /// The edge's own codes (operators.md, close codes to clients).
  private static let applicationCodes: [UInt16] = [4401, 4403, 4408, 4409, 4429]
}

/// The HTTP statuses that have a series of their own; a worker's other ones count as `other`.
enum StatusLabel {
  static let words = codes.map { String($0) } + ["other"]

  static func index(of status: Int) -> Int {
    codes.firstIndex(of: status) ?? codes.count
  }

  private static let codes = [
    101, 200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413,
    414, 415, 416, 417, 421, 422, 425, 426, 428, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 507, 508, 511,
  ]
}
