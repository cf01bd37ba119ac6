internal import EdgeCore
public import EdgeHTTP

/// The edge's own opening handshake with a worker (RFC 6455 §4.1).
///
/// It bears a key of the edge's making, so that a worker's answer proves something to the edge and nothing of the
/// client's handshake can pass for it; and it never offers an extension, for the edge reads every frame.
public struct WorkerHandshake: Hashable, Sendable {
  /// The edge's key.
  public let key: HandshakeKey
  /// The subprotocols that are offered to the worker, by preference.
  public let subprotocols: [String]

  /// Begins a handshake.
  ///
  /// - Parameters:
  ///   - key: a fresh, random one.
  ///   - subprotocols: tokens, such as those of the client's `OpeningRequest` that the route lets through.
  public init(key: HandshakeKey, subprotocols: [String]) {
    self.key = key
    self.subprotocols = subprotocols
  }

  /// The fields of the request; what a client sent of its own must not stand beside them.
  public var fields: HTTPFields {
    var fields = HTTPFields.ofUpgrade
    fields.add("Sec-WebSocket-Key", key.text)
    fields.add("Sec-WebSocket-Version", "13")
    if !subprotocols.isEmpty { fields.add("Sec-WebSocket-Protocol", subprotocols.joined(separator: ", ")) }
    return fields
  }

  /// Checks a worker's 101 (RFC 6455 §4.1, second list). Another status is an answer to pass on, not to check.
  ///
  /// - Parameter sha1: computes SHA-1.
  /// - Returns: the subprotocol that the worker chose, if any.
  /// - Throws: what is wrong with it; the client gets 502.
  public func check(_ head: ResponseHead, sha1: ([UInt8]) -> [UInt8]) throws(WorkerHandshakeError) -> String? {
    precondition(head.status == 101)
    guard head.version == .http11 else { throw .versionNotHTTP11 }
    guard head.fields.isList(of: "websocket", in: "Upgrade") else { throw .upgradeNotWebSocket }
    guard head.fields.containsToken("upgrade", in: "Connection") else { throw .connectionNotUpgrade }
    guard head.fields.isSole("Sec-WebSocket-Accept", key.acceptValue(sha1: sha1)) else { throw .acceptWrong }
    guard !head.fields.contains("Sec-WebSocket-Extensions") else { throw .extensionNotOffered }
    switch head.fields.sole("Sec-WebSocket-Protocol") {
    case .absent: return nil
    case .once(let subprotocol) where subprotocols.contains(subprotocol): return subprotocol
    case .once, .repeated: throw .subprotocolNotOffered
    }
  }
}

/// How a worker's 101 is wrong; the client gets 502. The raw value is the word for logs and metrics.
public enum WorkerHandshakeError: String, Error, Hashable, Sendable, CaseIterable {
  /// The answer is HTTP/1.0, which has no upgrade.
  case versionNotHTTP11 = "worker_http_version_too_old"
  /// Upgrade is not `websocket`, once.
  case upgradeNotWebSocket = "worker_upgrade_not_websocket"
  /// Connection does not name `upgrade`.
  case connectionNotUpgrade = "worker_connection_not_upgrade"
  /// Sec-WebSocket-Accept is not the one value that the key asks for, once.
  case acceptWrong = "worker_accept_wrong"
  /// An extension was chosen, though none was offered.
  case extensionNotOffered = "worker_extension_not_offered"
  /// Not one subprotocol out of the offered was chosen.
  case subprotocolNotOffered = "worker_subprotocol_not_offered"
}
