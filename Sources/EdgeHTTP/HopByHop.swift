extension HTTPFields {
  /// The fields that go on beyond the edge: without those about this connection (RFC 9110 §7.6.1), whatever their spelling,
  /// and without those that Connection names.
  public func endToEnd() -> HTTPFields {
    var fields = HTTPFields()
    fields.addEndToEnd(of: self) { _ in false }
    return fields
  }

  /// Adds the same of `received`, also without those whose names `isDropped` picks.
  mutating func addEndToEnd(of received: HTTPFields, unless isDropped: (_ name: String) -> Bool) {
    let nominated = FieldNameSet(received.elements(of: "Connection").filter { !hopByHopNames.contains($0) })
    for field in received where !hopByHopNames.contains(field.name) && !nominated.contains(field.name) && !isDropped(field.name) {
      add(field)
    }
  }
}

/// What is about one connection only.
///
/// Framing is among them, since the edge writes its own; so is `Proxy`, which CGI turns into the `HTTP_PROXY` of clients.
private let hopByHopNames = FieldNameSet(
  [
    "Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Content-Length", "Upgrade", "HTTP2-Settings", "Proxy",
  ], prefixes: ["Proxy-"])
