/// The head of the request that a worker gets: rebuilt from the client's parsed one, never copied through.
///
/// Of the client's fields go on only those that are neither about its connection nor the edge's to say: identity, certificate,
/// forwarding, request identifier, trace, a second path (`X-Original-URL`) and the WebSocket handshake. Names count in every spelling that
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
    fields.add(handshake)
    self.init(method: "GET", target: head.target, fields: fields)
  }

  private init(method: String, target: RequestTarget, fields: HTTPFields) {
    self.method = method
    self.target = target
    self.fields = fields
  }

  /// Adds the head as bytes.
  public func serialize(into bytes: inout [UInt8]) {
    appendRequestLine(method: method, target: target, version: .http11, to: &bytes)
    fields.serialize(into: &bytes)
  }
}

private func endToEndFields(of head: RequestHead, context: ForwardingContext) -> HTTPFields {
  let keepsTraceState = head.traceParent?.traceID == context.traceParent.traceID
  var fields = HTTPFields(
    minimumCapacity: head.fields.count + context.identityFields.count + maxEdgesFields,
    lineBytes: head.fields.lineBytes + usualEdgesBytes)
  // Without a host an HTTP/1.1 request still needs the field, empty (RFC 9112 §3.2).
  fields.add("Host") { head.authority?.append(to: &$0) }
  fields.addEndToEnd(of: head.fields) { name in
    edgesNames.contains(name) || context.identityNames.contains(name)
      || context.identityFields.contains { FieldNameSet.isSame(name, as: $0.name) }
      || !keepsTraceState && FieldNameSet.isSame(name, as: "tracestate")
  }
  context.addForwardingFields(to: &fields, authority: head.authority)
  for field in context.identityFields { fields.add(field) }
  return fields
}

/// What the edge alone says.
private let edgesNames = FieldNameSet(
  ["Host", "Expect", "Forwarded", "X-Real-IP", "X-Request-ID", "traceparent", "X-Original-URL", "X-Rewrite-URL"],
  prefixes: ["X-Forwarded", "X-Client-Cert", "Sec-WebSocket-"])
/// Host, what `addForwardingFields` adds, and a handshake with a subprotocol or the framing of a body.
private let maxEdgesFields = 14
/// What those take, with addresses and hosts of usual length.
private let usualEdgesBytes = 768
