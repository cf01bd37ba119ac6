public import EdgeCore

/// What the edge tells a worker about a request besides the request itself.
public struct ForwardingContext: Hashable, Sendable {
  /// The client and then the trusted proxies it came through, nearest last; empty when the peer has no address.
  public var clientChain: [IPAddress]
  /// The scheme that the client used.
  public var scheme: HTTPScheme
  /// The port that the client connected to.
  public var port: UInt16
  /// What names the request in logs, here and in the worker.
  public var requestID: String
  /// The request's place in a trace: the client's own, or a new one.
  public var traceParent: TraceParent
  /// Fields that say who the client is, as the route sets them.
  public var identityFields: [HTTPField]
  /// All names that any route sets: a client's own fields of such a name never pass.
  public var identityNames: FieldNameSet

  /// Makes a context.
  public init(
    clientChain: [IPAddress], scheme: HTTPScheme, port: UInt16, requestID: String, traceParent: TraceParent,
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
  func addForwardingFields(to fields: inout HTTPFields, authority: Authority?) {
    if let client = clientChain.first {
      fields.add("X-Forwarded-For", clientChain.map(\.description).joined(separator: ", "))
      fields.add("X-Real-IP", client.description)
    }
    fields.add("X-Forwarded-Proto", scheme.rawValue)
    if let authority { fields.add("X-Forwarded-Host", authority.description) }
    fields.add("X-Forwarded-Port", String(port))
    fields.add("Forwarded", forwardedValue(authority: authority))
    fields.add("X-Request-ID", requestID)
    fields.add("traceparent", traceParent.description)
  }

  /// One element for each hop; the first, the client's, says what the client asked for (RFC 7239 §4).
  private func forwardedValue(authority: Authority?) -> String {
    let nodes = clientChain.isEmpty ? ["unknown"] : clientChain.map(forwardedNode)
    let host = authority.map { ";host=\(quotedUnlessToken($0.description))" } ?? ""
    return nodes.enumerated().map { index, node in
      index == 0 ? "for=\(node)\(host);proto=\(scheme.rawValue)" : "for=\(node)"
    }.joined(separator: ", ")
  }
}

/// An address as RFC 7239 §6 writes it: IPv6 in brackets, and so in quotes.
private func forwardedNode(_ address: IPAddress) -> String {
  address.isIPv4 ? address.description : "\"[\(address)]\""
}

private func quotedUnlessToken(_ text: String) -> String {
  HTTPField.isValidName(text) ? text : "\"\(text)\""
}
