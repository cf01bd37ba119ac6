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
  ///
  /// - Parameter host: what the client asked for, with its port.
  func addForwardingFields(to fields: inout HTTPFields, host: String?) {
    let chain = clientChain.map(\.description)
    if let client = chain.first {
      fields.add("X-Forwarded-For", chain.joined(separator: ", "))
      fields.add("X-Real-IP", client)
    }
    fields.add("X-Forwarded-Proto", scheme.rawValue)
    if let host { fields.add("X-Forwarded-Host", host) }
    fields.add("X-Forwarded-Port", String(port))
    fields.add("Forwarded", forwardedValue(chain, host: host))
    fields.add("X-Request-ID", requestID)
    fields.add("traceparent", traceParent.description)
  }

  /// One element for each hop; the first, the client's, says what the client asked for (RFC 7239 §4).
  private func forwardedValue(_ chain: [String], host: String?) -> String {
    var value: [UInt8] = []
    value.reserveCapacity(forwardedBytes)
    value.append(latin1: "for=")
    value.append(latin1: chain.first.map(forwardedNode) ?? "unknown")
    if let host {
      value.append(latin1: ";host=")
      value.append(latin1: quotedUnlessToken(host))
    }
    value.append(latin1: ";proto=")
    value.append(latin1: scheme.rawValue)
    for proxy in chain.dropFirst() {
      value.append(latin1: ", for=")
      value.append(latin1: forwardedNode(proxy))
    }
    return String(latin1: value[...])
  }
}

/// An address as RFC 7239 §6 writes it: IPv6 in brackets, and so in quotes.
private func forwardedNode(_ address: String) -> String {
  address.utf8.contains(UInt8(ascii: ":")) ? "\"[\(address)]\"" : address
}

private func quotedUnlessToken(_ text: String) -> String {
  HTTPField.isValidName(text) ? text : "\"\(text)\""
}

/// Enough for one hop with a host of usual length.
private let forwardedBytes = 96
