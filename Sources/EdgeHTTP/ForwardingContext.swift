public import EdgeCore

/// What the edge tells a worker about a request besides the request itself.
public struct ForwardingContext: Hashable, Sendable {
  /// The client and then the trusted proxies it came through, nearest last; empty when the peer has no address.
  public var clientChain: [IPAddress]
  /// The scheme that the client used.
  public var scheme: HTTPScheme
  /// The port that the client connected to.
  public var port: UInt16
  /// What names the request in logs, here and in the worker; nil where that is what names the trace.
  public var requestID: String?
  /// The request's place in a trace: the client's own, or a new one.
  public var traceParent: TraceParent
  /// Fields that say who the client is, as the route sets them.
  public var identityFields: [HTTPField]
  /// All names that any route sets: a client's own fields of such a name never pass.
  public var identityNames: FieldNameSet

  /// Makes a context.
  public init(
    clientChain: [IPAddress], scheme: HTTPScheme, port: UInt16, requestID: String?, traceParent: TraceParent,
    identityFields: [HTTPField] = [], identityNames: FieldNameSet = []
  ) {
    self.clientChain = clientChain
    self.scheme = scheme
    self.port = port
    self.requestID = requestID
    self.traceParent = traceParent
    self.identityFields = identityFields
    self.identityNames = identityNames
  }

  /// Adds X-Forwarded-*, X-Real-IP, Forwarded, X-Request-ID and traceparent.
  ///
  /// - Parameter authority: what the client asked for.
  func addForwardingFields(to fields: inout HTTPFields, authority: Authority?) {
    let chain = clientChain.map(\.description)
    let (scheme, port, traceParent) = (scheme.rawValue, String(port), traceParent)
    if let client = chain.first {
      fields.add("X-Forwarded-For") { text in
        text.append(latin1: client)
        for proxy in chain.dropFirst() { text.append(latin1: ", \(proxy)") }
      }
      fields.add("X-Real-IP") { $0.append(latin1: client) }
    }
    fields.add("X-Forwarded-Proto") { $0.append(latin1: scheme) }
    if let authority { fields.add("X-Forwarded-Host") { authority.append(to: &$0) } }
    fields.add("X-Forwarded-Port") { $0.append(latin1: port) }
    fields.add("Forwarded") { appendForwarded(chain, authority: authority, scheme: scheme, to: &$0) }
    if let requestID {
      fields.add("X-Request-ID", requestID)
    } else {
      fields.add("X-Request-ID") { traceParent.traceID.append(to: &$0) }
    }
    fields.add("traceparent") { traceParent.append(to: &$0) }
  }
}

/// One element for each hop; the first, the client's, says what the client asked for (RFC 7239 §4).
private func appendForwarded(_ chain: [String], authority: Authority?, scheme: String, to text: inout [UInt8]) {
  text.append(latin1: "for=")
  text.append(latin1: chain.first.map(forwardedNode) ?? "unknown")
  if let authority {
    text.append(latin1: authority.isToken ? ";host=" : ";host=\"")
    authority.append(to: &text)
    if !authority.isToken { text.append(UInt8(ascii: "\"")) }
  }
  text.append(latin1: ";proto=")
  text.append(latin1: scheme)
  for proxy in chain.dropFirst() {
    text.append(latin1: ", for=")
    text.append(latin1: forwardedNode(proxy))
  }
}

/// An address as RFC 7239 §6 writes it: IPv6 in brackets, and so in quotes.
private func forwardedNode(_ address: String) -> String {
  address.utf8.contains(UInt8(ascii: ":")) ? "\"[\(address)]\"" : address
}
