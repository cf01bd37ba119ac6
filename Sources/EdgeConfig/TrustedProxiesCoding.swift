import EdgeCore

/// An element of `trusted_proxies`.
enum TrustedProxy {
  case network(CIDR)
  /// Every peer of a Unix listener.
  case unixPeers
}

extension TrustedProxies {
  init(_ proxies: [TrustedProxy]) {
    var networks: [CIDR] = []
    var includesUnixPeers = false
    for proxy in proxies {
      switch proxy {
      case .network(let network): networks.append(network)
      case .unixPeers: includesUnixPeers = true
      }
    }
    self.init(networks: networks, includesUnixPeers: includesUnixPeers)
  }

  /// The elements of the list that says the same.
  var words: [String] {
    (includesUnixPeers ? [unixWord] : []) + networks.map(\.description)
  }
}

extension Setting {
  func trustedProxy() -> TrustedProxy? {
    parsed("unix, an address, or a block such as 10.0.0.0/8 or 2001:db8::/32") { text in
      text == unixWord ? .unixPeers : CIDR(text).map { .network($0) }
    }
  }
}

private let unixWord = "unix"
