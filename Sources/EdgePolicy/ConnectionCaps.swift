public import EdgeCore

/// How many connections each IP address holds, and whether it may have one more.
///
/// An IPv6 address counts by its prefix, since one subscriber has a whole network of them, and a second time by a wider prefix
/// with a larger cap. The table holds at most two entries for each open connection, so the limit of the whole edge bounds it and
/// there is nothing to evict. A value without a lock: whoever shares it guards it.
public struct ConnectionCaps: Sendable {
  /// What the caps are.
  public struct Settings: Hashable, Sendable {
    /// Connections of one IPv4 address, or of one IPv6 prefix.
    public var connections: Int
    /// The bits of an IPv6 address that count.
    public var ipv6PrefixBits: Int
    /// The bits of the wider prefix.
    public var ipv6CapPrefixBits: Int
    /// How many times `connections` the wider prefix may hold.
    public var ipv6CapFactor: Int
    /// Addresses that are not counted.
    public var exempt: [CIDR]

    /// Makes settings.
    public init(
      connections: Int = 50, ipv6PrefixBits: Int = 64, ipv6CapPrefixBits: Int = 48, ipv6CapFactor: Int = 16, exempt: [CIDR] = []
    ) {
      self.connections = connections
      self.ipv6PrefixBits = ipv6PrefixBits
      self.ipv6CapPrefixBits = ipv6CapPrefixBits
      self.ipv6CapFactor = ipv6CapFactor
      self.exempt = exempt
    }
  }

  /// The counted place of one connection: give it back with `close` when the connection ends.
  ///
  /// It remembers under which blocks it was counted, so that settings may change in between.
  public struct Place: Hashable, Sendable {
    fileprivate let block: CIDR?
    fileprivate let widerBlock: CIDR?

    /// The place of a connection that is not counted, such as one without an IP address.
    public static let uncounted = Place(block: nil, widerBlock: nil)
  }

  /// Whether an address may open another connection.
  public enum Verdict: Hashable, Sendable {
    /// It may, and the connection is counted.
    case allowed(Place)
    /// It may not: `block` is full. The word `ip_limit` names the outcome.
    case full(block: CIDR, connections: Int)
  }

  private var settings: Settings
  private var counts: [CIDR: Int] = [:]

  /// Makes an empty table.
  public init(settings: Settings = Settings()) {
    self.settings = settings
  }

  /// Adopts other settings for connections that come; those that are open stay, even above a new cap.
  public mutating func adopt(_ settings: Settings) {
    self.settings = settings
  }

  /// Counts a connection from `address`, if it may have one more: under all its blocks, or under none.
  public mutating func open(_ address: IPAddress) -> Verdict {
    guard !settings.exempt.contains(where: { $0.contains(address) }) else { return .allowed(.uncounted) }
    let block = CIDR(address, prefixBits: address.isIPv4 ? 32 : settings.ipv6PrefixBits)
    let held = counts[block, default: 0]
    guard held < settings.connections else { return .full(block: block, connections: held) }
    guard !address.isIPv4, settings.ipv6CapPrefixBits < settings.ipv6PrefixBits else {
      counts[block] = held + 1
      return .allowed(Place(block: block, widerBlock: nil))
    }
    let widerBlock = CIDR(address, prefixBits: settings.ipv6CapPrefixBits)
    let widelyHeld = counts[widerBlock, default: 0]
    let (cap, overflow) = settings.connections.multipliedReportingOverflow(by: settings.ipv6CapFactor)
    guard overflow || widelyHeld < cap else { return .full(block: widerBlock, connections: widelyHeld) }
    counts[block] = held + 1
    counts[widerBlock] = widelyHeld + 1
    return .allowed(Place(block: block, widerBlock: widerBlock))
  }

  /// Gives a place back.
  public mutating func close(_ place: Place) {
    for case let block? in [place.block, place.widerBlock] {
      guard let held = counts[block] else {
        assertionFailure("\(block) holds no connection")
        continue
      }
      counts[block] = held > 1 ? held - 1 : nil
    }
  }

  /// The connections that the block of `address` holds.
  public func connections(of address: IPAddress) -> Int {
    counts[CIDR(address, prefixBits: address.isIPv4 ? 32 : settings.ipv6PrefixBits), default: 0]
  }

  /// The entries of the table: `sluice_limiter_entries`.
  public var entryCount: Int { counts.count }
}
