public import EdgeCore

/// What one IP address may do: the setting `limits.per_ip`.
///
/// An IPv6 address counts by its prefix, since one subscriber has a whole network of them, and a second time by a wider prefix,
/// which may do `wideFactor` times as much.
public struct AddressLimits: Hashable, Sendable {
  /// The bits of an IPv6 address that count.
  public let ipv6PrefixBits: Int
  /// The bits of the wider prefix.
  public let ipv6WidePrefixBits: Int
  /// How many times as much the wider prefix may do, of everything.
  public let wideFactor: Int
  /// Addresses without limits.
  public let exempt: [CIDR]
  private let own: BlockLimits
  private let wide: BlockLimits

  /// Makes limits.
  ///
  /// - Parameters:
  ///   - connections: connections at a time.
  ///   - handshakes: new connections; nil is no limit.
  public init(
    connections: Int = 50, handshakes: GCRA? = nil, ipv6PrefixBits: Int = 64, ipv6WidePrefixBits: Int = 48, wideFactor: Int = 16,
    exempt: [CIDR] = []
  ) {
    self.ipv6PrefixBits = ipv6PrefixBits
    self.ipv6WidePrefixBits = ipv6WidePrefixBits
    self.wideFactor = wideFactor
    self.exempt = exempt
    own = BlockLimits(connections: connections, handshakes: handshakes)
    wide = own.times(wideFactor)
  }

  /// The blocks that `address` counts in, its own first; none where it is exempt.
  func blocks(of address: IPAddress) -> [LimitedBlock] {
    guard !exempt.contains(where: { $0.contains(address) }) else { return [] }
    let block = CIDR(address, prefixBits: address.isIPv4 ? 32 : ipv6PrefixBits)
    guard !address.isIPv4, ipv6WidePrefixBits < ipv6PrefixBits else { return [LimitedBlock(block: block, limits: own)] }
    return [
      LimitedBlock(block: block, limits: own),
      LimitedBlock(block: CIDR(address, prefixBits: ipv6WidePrefixBits), limits: wide),
    ]
  }
}

/// A block of addresses and what it may do.
struct LimitedBlock {
  let block: CIDR
  let limits: BlockLimits
}

/// What one block of addresses may do.
struct BlockLimits: Hashable, Sendable {
  let connections: Int
  let handshakes: GCRA?
  /// Attempts beyond `handshakes` that are worth an answer.
  let refusals: GCRA?

  init(connections: Int, handshakes: GCRA?) {
    self.connections = connections
    self.handshakes = handshakes
    refusals = handshakes?.times(readableRate - 1)
  }

  func times(_ factor: Int) -> BlockLimits {
    let (product, overflow) = connections.multipliedReportingOverflow(by: factor)
    return BlockLimits(connections: overflow ? .max : product, handshakes: handshakes?.times(factor))
  }
}

/// Up to so many times the rate of handshakes somebody is told why they are refused.
private let readableRate = 4
