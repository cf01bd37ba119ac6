extension HTTPFields {
  /// The fields that go on beyond the edge: without those about this connection (RFC 9110 §7.6.1), whatever their spelling,
  /// and without those that Connection names.
  public func endToEnd() -> HTTPFields {
    endToEnd { _ in false }
  }

  /// The same, also without those that `isDropped` picks by their `comparisonKey`.
  func endToEnd(unless isDropped: (_ key: [UInt8]) -> Bool) -> HTTPFields {
    let nominated = FieldNameSet(elements(of: "Connection"))
    return HTTPFields(
      filter { field in
        let key = comparisonKey(field.name)
        return !isHopByHop(key) && !nominated.contains(key: key) && !isDropped(key)
      })
  }
}

/// Whether a field is about one connection only.
///
/// Framing is among them, since the edge writes its own; so is `Proxy`, which CGI turns into the `HTTP_PROXY` of clients.
private func isHopByHop(_ key: [UInt8]) -> Bool {
  hopByHopNames.contains(key: key) || key.starts(with: proxyPrefix)
}

private let hopByHopNames: FieldNameSet = [
  "Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Content-Length", "Upgrade", "HTTP2-Settings", "Proxy",
]
private let proxyPrefix = comparisonKey("Proxy-")
