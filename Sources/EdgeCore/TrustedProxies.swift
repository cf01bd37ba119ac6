/// Whose word about where a client comes from is taken.
public struct TrustedProxies: Hashable, Sendable {
  /// The addresses of proxies.
  public let networks: [CIDR]
  /// Whether whoever may connect to a Unix listener is a proxy.
  public let includesUnixPeers: Bool

  /// Names the proxies.
  public init(networks: [CIDR] = [], includesUnixPeers: Bool = false) {
    self.networks = networks
    self.includesUnixPeers = includesUnixPeers
  }

  /// Whether an address is a proxy's.
  public func contains(_ address: IPAddress) -> Bool {
    networks.contains { $0.contains(address) }
  }

  /// Whether a peer is a proxy.
  public func contains(_ peer: PeerAddress) -> Bool {
    switch peer {
    case .ip(let address, port: _): contains(address)
    case .unix: includesUnixPeers
    }
  }
}
