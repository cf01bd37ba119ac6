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

  /// Reads X-Forwarded-For from its end, for as long as each address names a trusted proxy.
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
    for element in fields.elements(of: "X-Forwarded-For").reversed() {
      guard chain.last.map(trustedProxies.contains) ?? true, let address = forwardedAddress(element) else { break }
      chain.append(address)
    }
    addresses = chain.reversed()
    scheme = fields.elements(of: "X-Forwarded-Proto").last.flatMap { HTTPScheme(rawValue: $0.lowercased()) }
    isSpoofed = false
  }
}

/// An address, maybe in brackets, maybe with a port, as proxies write it.
private func forwardedAddress(_ text: String) -> IPAddress? {
  if let address = IPAddress(text) { return address }
  guard let authority = try? Authority(parsing: text) else { return nil }
  return IPAddress(authority.host.filter { $0 != "[" && $0 != "]" })
}
