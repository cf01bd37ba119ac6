/// The head of the answer that a client gets for a worker's answer: end-to-end fields as they are, framing anew.
public struct ClientResponse: Hashable, Sendable {
  /// The status line and fields.
  public let head: ResponseHead
  /// How the body is to be written to the client.
  public let bodyFraming: BodyFraming
  /// Whether the client's connection goes on after the body.
  public let keepsAlive: Bool

  /// Makes the answer to a request.
  ///
  /// - Parameters:
  ///   - workerHead: a final answer.
  ///   - framing: how the worker delimits the body: `workerHead.bodyFraming(requestMethod:)`.
  ///   - request: what the client asked.
  ///   - keepsAlive: whether the edge wants to keep the client's connection; the client must want it too.
  ///   - requestID: what names the request in logs, unless the worker says it itself.
  public init(
    _ workerHead: ResponseHead, framing: BodyFraming, to request: RequestHead, keepsAlive: Bool = true, requestID: String? = nil
  ) {
    var fields = workerHead.fields.endToEnd()
    if let requestID, !fields.contains("X-Request-ID") { fields.add("X-Request-ID", requestID) }
    bodyFraming = clientFraming(for: framing, version: request.version)
    switch bodyFraming {
    case .none:
      // A length that describes what is not sent: the answer to HEAD, and 304 (RFC 9110 §8.6).
      if workerHead.status >= 200 && workerHead.status != 204, let length = workerHead.fields["Content-Length"] {
        fields.add("Content-Length", length)
      }
    case .length(let length): fields.add("Content-Length", String(length))
    case .chunked: fields.add("Transfer-Encoding", "chunked")
    case .untilClose: break
    }
    let endsWithConnection = bodyFraming == .untilClose && request.version != .http2
    self.keepsAlive = keepsAlive && request.wantsKeepAlive && !endsWithConnection
    var options = connectionOptions(keepsAlive: self.keepsAlive, version: request.version)
    if workerHead.status == 426, let upgrade = workerHead.fields["Upgrade"] {
      fields.add("Upgrade", upgrade)
      options.append("upgrade")
    }
    if !options.isEmpty { fields.add("Connection", options.joined(separator: ", ")) }
    head = ResponseHead(status: workerHead.status, reason: workerHead.reason, fields: fields)
  }

  /// Whether the body goes to the client in chunks; else its bytes go as they are.
  public var isChunked: Bool { bodyFraming == .chunked }

  /// The interim answer (100, 103) for a client, or nil for one that would not understand it (RFC 9110 §15.2).
  public static func interim(_ workerHead: ResponseHead, to request: RequestHead) -> ResponseHead? {
    guard workerHead.isInterim, request.version != .http10 else { return nil }
    return ResponseHead(status: workerHead.status, reason: workerHead.reason, fields: workerHead.fields.endToEnd())
  }

  /// Adds the head as bytes.
  public func serialize(into bytes: inout [UInt8]) {
    head.serialize(into: &bytes)
  }
}

/// A client of HTTP/1.0 reads no chunks: what has no length ends with its connection. A stream of HTTP/2 has an end of its own.
private func clientFraming(for workerFraming: BodyFraming, version: HTTPVersion) -> BodyFraming {
  switch workerFraming {
  case .none, .length: workerFraming
  case .chunked, .untilClose: version == .http11 ? .chunked : .untilClose
  }
}

/// What Connection says: only what differs from the version's own rule (RFC 9112 §9.3).
func connectionOptions(keepsAlive: Bool, version: HTTPVersion) -> [String] {
  guard keepsAlive else { return ["close"] }
  switch version {
  case .http10: return ["keep-alive"]
  case .http11, .http2: return []
  }
}
