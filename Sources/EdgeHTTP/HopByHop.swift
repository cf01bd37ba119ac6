extension HTTPFields {
  /// The fields that go on beyond the edge: without those about this connection (RFC 9110 §7.6.1), whatever their spelling,
  /// and without those that Connection names.
  public func endToEnd() -> HTTPFields {
    endToEnd { _ in false }
  }

  /// The same without those whose names `isDropped` picks.
  public func endToEnd(unless isDropped: (_ name: Span<UInt8>) -> Bool) -> HTTPFields {
    var fields = HTTPFields(minimumCapacity: count, lineBytes: lineBytes)
    fields.addEndToEnd(of: self, unless: isDropped)
    return fields
  }

  /// Adds the same of `received`.
  mutating func addEndToEnd(of received: HTTPFields, unless isDropped: (_ name: Span<UInt8>) -> Bool) {
    let nominated = received.nominatedNames
    add(received) { name in hopByHopNames.contains(name) || nominated?.contains(name) == true || isDropped(name) }
  }

  /// What Connection names beyond what is about a connection anyway; nil for nothing.
  private var nominatedNames: FieldNameSet? {
    var names: [String] = []
    forEachElement(of: "Connection") { element in
      let name = String(latin1: element)
      if !hopByHopNames.contains(name) { names.append(name) }
    }
    return names.isEmpty ? nil : FieldNameSet(names)
  }
}

/// What is about one connection only.
///
/// Framing is among them, since the edge writes its own; so is `Proxy`, which CGI turns into the `HTTP_PROXY` of clients.
private let hopByHopNames = FieldNameSet(
  [
    "Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Content-Length", "Upgrade", "HTTP2-Settings", "Proxy",
  ], prefixes: ["Proxy-"])
