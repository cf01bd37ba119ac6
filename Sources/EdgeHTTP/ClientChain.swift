public import EdgeCore

/// Who the client is when proxies stand before the edge.
public struct ClientChain: Hashable, Sendable {
  /// The client and then the trusted proxies it came through, nearest last. Empty where the peer has no address, and is not
  /// believed or tells none.
  public let addresses: [IPAddress]
  /// The scheme that the client used, if a trusted proxy says it.
  public let scheme: HTTPScheme?
  /// Whether forwarding fields came from a peer that is not trusted: they are dropped, and counted as spoofed.
  public let isSpoofed: Bool

  /// The client's address: the nearest one that is not a trusted proxy's.
  public var client: IPAddress? { addresses.first }

  /// Reads X-Forwarded-For from its end, for as long as each address names a trusted proxy; Forwarded (RFC 7239) where a proxy
  /// writes no X-Forwarded-For. One that writes Forwarded alone must not let the other pass.
  ///
  /// What stands before the first untrusted address is that client's own invention and is left out.
  ///
  /// - Parameters:
  ///   - fields: the client's fields.
  ///   - peer: whom the edge's socket is connected to.
  ///   - trustedProxies: setting `trusted_proxies`.
  public init(fields: HTTPFields, peer: PeerAddress, trustedProxies: TrustedProxies) {
    var chain = peer.ip.map { [$0] } ?? []
    guard trustedProxies.contains(peer) else {
      addresses = chain
      scheme = nil
      isSpoofed = fields.contains("X-Forwarded-For") || fields.contains("Forwarded") || fields.contains("X-Real-IP")
      return
    }
    let told = fields.elements(of: "X-Forwarded-For")
    let forwarded = fields.elements(of: "Forwarded")
    for element in (told.isEmpty ? forwarded.map { parameter("for", of: $0) ?? "" } : told).reversed() {
      guard chain.last.map(trustedProxies.contains) ?? true, let address = forwardedAddress(element) else { break }
      chain.append(address)
    }
    addresses = chain.reversed()
    let scheme = fields.elements(of: "X-Forwarded-Proto").last ?? forwarded.last.flatMap { parameter("proto", of: $0) }
    self.scheme = scheme.flatMap { HTTPScheme(rawValue: $0.lowercased()) }
    isSpoofed = false
  }
}

/// An address, maybe in brackets, maybe with a port, as proxies write it.
private func forwardedAddress(_ text: String) -> IPAddress? {
  if let address = IPAddress(text) { return address }
  guard let authority = try? Authority(parsing: text) else { return nil }
  return IPAddress(authority.host.filter { $0 != "[" && $0 != "]" })
}

/// The value of a parameter of an element of Forwarded (RFC 7239 §4), which is given once; without its quotes.
private func parameter(_ name: String, of element: String) -> String? {
  var found: Substring?
  for pair in element.split(separator: ";") {
    let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, ASCII.equalIgnoringCase(parts[0].drop { $0 == " " || $0 == "\t" }, name) else { continue }
    guard found == nil else { return nil }
    found = parts[1]
  }
  guard let found else { return nil }
  guard found.hasPrefix("\"") else { return String(found) }
  let inner = found.dropFirst().dropLast()
  return found.count > 1 && found.hasSuffix("\"") && !inner.contains(where: { $0 == "\"" || $0 == "\\" }) ? String(inner) : nil
}
