/// The head of the request that a worker gets: rebuilt from the client's parsed one, never copied through.
///
/// Of the client's fields go on only those that are neither about its connection nor the edge's to say: identity, forwarding,
/// request identifier, trace, a second path (`X-Original-URL`) and the WebSocket handshake. Names count in every spelling that
/// `FieldNameSet` takes as the same. The edge's own fields come after, so nothing that Connection names can remove them.
public struct WorkerRequest: Hashable, Sendable {
  /// The method.
  public let method: String
  /// Path and query in normal form.
  public let target: RequestTarget
  /// All fields, Host first. The version is always HTTP/1.1.
  public let fields: HTTPFields

  /// Makes a plain request. Its body goes on as `head.bodyFraming` says.
  ///
  /// - Parameters:
  ///   - head: the client's request, without what the route strips (a token, say).
  ///   - context: what the edge says of it.
  ///   - forwardsExpectation: whether the worker is to answer `Expect: 100-continue`; else the edge does that.
  public init(_ head: RequestHead, context: ForwardingContext, forwardsExpectation: Bool = false) {
    var fields = endToEndFields(of: head, context: context)
    switch head.bodyFraming {
    case .none: break
    case .length(let length): fields.add("Content-Length", String(length))
    case .chunked, .untilClose: fields.add("Transfer-Encoding", "chunked")
    }
    if forwardsExpectation && head.expectsContinue { fields.add("Expect", "100-continue") }
    self.init(method: head.method, target: head.target, fields: fields)
  }

  /// Makes a request that opens a WebSocket (RFC 6455 §4.1).
  ///
  /// - Parameter handshake: the fields of the edge's own handshake, Connection and Upgrade among them; the client's are dropped.
  public init(upgrading head: RequestHead, context: ForwardingContext, handshake: HTTPFields) {
    var fields = endToEndFields(of: head, context: context)
    for field in handshake { fields.add(field) }
    self.init(method: head.method, target: head.target, fields: fields)
  }

  private init(method: String, target: RequestTarget, fields: HTTPFields) {
    self.method = method
    self.target = target
    self.fields = fields
  }

  /// Adds the head as bytes.
  public func serialize(into bytes: inout [UInt8]) {
    bytes.append(latin1: "\(method) \(target) HTTP/1.1\r\n")
    fields.serialize(into: &bytes)
  }
}

private func endToEndFields(of head: RequestHead, context: ForwardingContext) -> HTTPFields {
  let identityNames = FieldNameSet(context.identityFields.lazy.map(\.name))
  let keepsTraceState = head.traceParent?.traceID == context.traceParent.traceID
  // Without a host an HTTP/1.1 request still needs the field, empty (RFC 9112 §3.2).
  var fields: HTTPFields = ["Host": head.authority?.description ?? ""]
  let fromClient = head.fields.endToEnd { key in
    context.identityNames.contains(key: key) || identityNames.contains(key: key) || isEdgesToSay(key)
      || !keepsTraceState && key == traceStateKey
  }
  for field in fromClient { fields.add(field) }
  context.addForwardingFields(to: &fields, authority: head.authority)
  for field in context.identityFields { fields.add(field) }
  return fields
}

private func isEdgesToSay(_ key: [UInt8]) -> Bool {
  edgesNames.contains(key: key) || key.starts(with: forwardedPrefix) || key.starts(with: webSocketPrefix)
}

private let edgesNames: FieldNameSet = [
  "Host", "Expect", "Forwarded", "X-Real-IP", "X-Request-ID", "traceparent", "X-Original-URL", "X-Rewrite-URL",
]
private let forwardedPrefix = comparisonKey("X-Forwarded")
private let webSocketPrefix = comparisonKey("Sec-WebSocket-")
private let traceStateKey = comparisonKey("tracestate")
