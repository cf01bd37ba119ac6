internal import EdgeCore
public import EdgeHTTP

/// A client's opening handshake that was found in order: an upgrade of HTTP/1.1 (RFC 6455 §4.2.1), or a CONNECT of HTTP/2
/// (RFC 8441 §5).
public struct OpeningRequest: Hashable, Sendable {
  /// The client's key, which the 101 to it must prove was read; a stream of HTTP/2 needs no such proof, and has none.
  public let key: HandshakeKey?
  /// The subprotocols that the client offers, by its preference, each once. Compared with regard to case.
  public let subprotocols: [String]

  /// Whether a request asks for a WebSocket: its Upgrade names `websocket`, once, and nothing else; or it is a CONNECT of HTTP/2,
  /// which is read for nothing else.
  ///
  /// Every other request is plain HTTP, its Upgrade dropped.
  public static func isAttempt(_ head: RequestHead) -> Bool {
    guard head.version != .http2 else { return head.method == "CONNECT" }
    return head.fields.isList(of: "websocket", in: "Upgrade")
  }

  /// Checks a request that `isAttempt` picked.
  ///
  /// Extensions that the client offers are neither checked nor remembered: the edge takes none (RFC 6455 §9.1).
  /// - Throws: what is wrong with it first; answer with the error's `status` and `responseFields`.
  public init(checking head: RequestHead) throws(OpeningError) {
    guard Self.isAttempt(head) else { throw .notUpgrade }
    if head.version != .http2 { try Self.checkUpgrade(head) }
    switch head.bodyFraming {
    case .none, .length(0): break
    case .length, .chunked, .untilClose: throw .bodyAnnounced
    }
    guard head.fields.isSole("Sec-WebSocket-Version", "13") else { throw .versionUnsupported }
    key = head.version == .http2 ? nil : try Self.key(in: head.fields)
    subprotocols = try Self.subprotocols(in: head.fields)
  }

  /// What HTTP/1.1 asks besides, so that nobody's request becomes a WebSocket unawares.
  private static func checkUpgrade(_ head: RequestHead) throws(OpeningError) {
    guard head.method == "GET" else { throw .methodNotGet }
    guard head.version == .http11 else { throw .versionNotHTTP11 }
    guard head.fields.containsToken("upgrade", in: "Connection") else { throw .connectionNotUpgrade }
  }

  private static func key(in fields: HTTPFields) throws(OpeningError) -> HandshakeKey {
    guard case .once(let text) = fields.sole("Sec-WebSocket-Key"), let key = HandshakeKey(text) else { throw .keyInvalid }
    return key
  }

  /// Reads the offered subprotocols: tokens, over one field or several, none of them twice (RFC 6455 §4.1, item 10).
  private static func subprotocols(in fields: HTTPFields) throws(OpeningError) -> [String] {
    guard fields.contains("Sec-WebSocket-Protocol") else { return [] }
    let offered = fields.elements(of: "Sec-WebSocket-Protocol")
    guard !offered.isEmpty, offered.allSatisfy(HTTPField.isValidName) else { throw .subprotocolsInvalid }
    guard Set(offered).count == offered.count else { throw .subprotocolsInvalid }
    return offered
  }

  /// The 101 that accepts the client (RFC 6455 §4.2.2), or the 200 of a stream (RFC 8441 §5).
  ///
  /// - Parameters:
  ///   - subprotocol: the one that was agreed, if any.
  ///   - workerFields: the fields of the worker's 101; those for the client (cookies, say) go along, and none that
  ///     belongs to the worker's own connection or handshake.
  ///   - sha1: computes SHA-1.
  public func acceptance(
    subprotocol: String?, workerFields: HTTPFields = [:], sha1: ([UInt8]) -> [UInt8]
  ) -> ResponseHead {
    var fields: HTTPFields = [:]
    if let key {
      fields = .ofUpgrade
      fields.add("Sec-WebSocket-Accept", key.acceptValue(sha1: sha1))
    }
    if let subprotocol { fields.add("Sec-WebSocket-Protocol", subprotocol) }
    fields.add(workerFields.endToEnd(unless: isOfHandshake))
    return ResponseHead(status: key == nil ? 200 : 101, fields: fields)
  }
}

extension HTTPFields {
  /// What both sides of an upgrade say of the connection.
  static let ofUpgrade: HTTPFields = ["Upgrade": "websocket", "Connection": "Upgrade"]
}

/// Whether a field of that name is part of an opening handshake, besides those that are about a connection.
private func isOfHandshake(_ name: Span<UInt8>) -> Bool {
  let beginning = "sec-websocket-".utf8.span
  return ASCII.equalIgnoringCase(name.extracting(first: beginning.count), beginning)
}

/// How a client's opening handshake is wrong. The raw value is the word for logs, metrics and the answer.
public enum OpeningError: String, Error, Hashable, Sendable, CaseIterable {
  /// The request does not ask for exactly a WebSocket.
  case notUpgrade = "not_upgrade"
  /// The method is not GET (RFC 6455 §4.1, item 2).
  case methodNotGet = "method_not_get"
  /// The request is HTTP/1.0 (RFC 6455 §4.1, item 2).
  case versionNotHTTP11 = "http_version_too_old"
  /// Connection does not name `upgrade` (RFC 6455 §4.2.1, item 4).
  case connectionNotUpgrade = "connection_not_upgrade"
  /// The request announces a body; its bytes could be taken for frames.
  case bodyAnnounced = "body_with_upgrade"
  /// Sec-WebSocket-Version is not 13, once (RFC 6455 §4.4).
  case versionUnsupported = "websocket_version_unsupported"
  /// Sec-WebSocket-Key is not 16 bytes in base64, once (RFC 6455 §4.2.1, item 5).
  case keyInvalid = "websocket_key_invalid"
  /// Sec-WebSocket-Protocol is not a list of different tokens (RFC 6455 §4.1, item 10).
  case subprotocolsInvalid = "subprotocols_invalid"

  /// The status of the answer: 400, 405 or 426.
  public var status: Int {
    switch self {
    case .notUpgrade, .versionNotHTTP11, .connectionNotUpgrade, .bodyAnnounced, .keyInvalid, .subprotocolsInvalid: 400
    case .methodNotGet: 405
    case .versionUnsupported: 426
    }
  }

  /// The fields that the status asks for: what the client should have sent (RFC 9110 §10.2.1, RFC 6455 §4.4).
  public var responseFields: HTTPFields {
    switch self {
    case .notUpgrade, .versionNotHTTP11, .connectionNotUpgrade, .bodyAnnounced, .keyInvalid, .subprotocolsInvalid: [:]
    case .methodNotGet: ["Allow": "GET"]
    case .versionUnsupported: ["Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"]
    }
  }
}
