public import EdgeCore

/// What IP addresses hold and have used, over all reactors.
///
/// A block and the wider block around it are in the same shard, so that both are charged at once or neither is. What the limits
/// are comes with each call, so that they may change while connections are open.
public final class AddressTable: Sendable {
  private let shards: [LockedShard<LimitShard<CIDR>>]

  /// Makes an empty table.
  ///
  /// - Parameter maxIdleEntries: entries without connections, of about 250 bytes. At ten handshakes a second an address that
  ///   came once is forgotten after 100 ms, so that it takes 650,000 new addresses a second to fill 65,536: more than a kernel
  ///   accepts. Only limits of a few an hour meet this bound.
  public init(maxIdleEntries: Int = 65_536) {
    shards = LockedShard.all(maxIdle: maxIdleEntries) { LimitShard(maxIdle: $0) }
  }

  /// A new connection from `address`: charges a handshake, and takes a place.
  public func open(_ address: IPAddress, limits: AddressLimits, now: Instant) -> AddressVerdict {
    let blocks = limits.blocks(of: address)
    guard let shard = shard(of: blocks) else { return .allowed(.uncounted) }
    return shard.withLock { $0.open(blocks, now: now) }
  }

  /// A further attempt on a connection that is open already: charges a handshake.
  ///
  /// - Returns: `allowed` with no place, or `tooFast`.
  public func attempt(_ address: IPAddress, limits: AddressLimits, now: Instant) -> AddressVerdict {
    let blocks = limits.blocks(of: address)
    guard let shard = shard(of: blocks) else { return .allowed(.uncounted) }
    return shard.withLock { $0.attempt(blocks, now: now) }
  }

  /// Gives a place back.
  public func close(_ place: AddressPlace, now: Instant) {
    guard let entry = place.entry else { return }
    shard(of: place.wider ?? entry).withLock { shard in
      shard.close(entry, now: now)
      if let wider = place.wider { shard.close(wider, now: now) }
    }
  }

  /// Forgets the addresses of which nothing is to be known any more. Call it once a second.
  public func sweep(now: Instant) {
    for shard in shards { shard.withLock { $0.sweep(now: now) } }
  }

  /// The blocks that are known.
  public var entryCount: Int {
    shards.reduce(0) { $0 + $1.withLock { $0.entryCount } }
  }

  /// How many blocks were forgotten for lack of room although something was to be known of them.
  public var evictions: UInt64 {
    shards.reduce(0) { $0 + $1.withLock { $0.evictions } }
  }

  private func shard(of blocks: [LimitedBlock]) -> LockedShard<LimitShard<CIDR>>? {
    blocks.last.map { shards[index(of: $0.block)] }
  }

  private func shard(of entry: LimitEntry<CIDR>) -> LockedShard<LimitShard<CIDR>> {
    shards[index(of: entry.key)]
  }

  private func index(of widestBlock: CIDR) -> Int {
    Int(UInt(bitPattern: widestBlock.hashValue) % UInt(shards.count))
  }
}

/// The counted place of one connection: two references. Give it back with `AddressTable.close` when the connection ends.
public struct AddressPlace: Sendable {
  fileprivate let entry: LimitEntry<CIDR>?
  fileprivate let wider: LimitEntry<CIDR>?

  /// The place of a connection that is not counted, such as one without an IP address.
  public static let uncounted = AddressPlace(entry: nil, wider: nil)

  /// What the connection's messages are charged to besides its own limits.
  public var meters: [HeldMeter] {
    var meters: [HeldMeter] = []
    if let entry { meters.append(HeldMeter(scope: .address, meter: entry.meter)) }
    if let wider { meters.append(HeldMeter(scope: .widerBlock, meter: wider.meter)) }
    return meters
  }
}

/// Whether an address may open a connection.
public enum AddressVerdict: Sendable {
  /// It may, and the connection is counted.
  case allowed(AddressPlace)
  /// `block` has all its connections open already.
  case full(block: CIDR, connections: Int)
  /// Too many handshakes; the next is allowed after so long. Where even refusals are too many, it deserves no answer.
  case tooFast(retryAfter: Duration, isReadable: Bool)
}

extension LimitShard where Key == CIDR {
  fileprivate mutating func open(_ blocks: [LimitedBlock], now: Instant) -> AddressVerdict {
    if let refusal = chargeHandshake(blocks, now: now) { return refusal }
    for block in blocks {
      let held = connections(of: block.block)
      guard held < block.limits.connections else { return .full(block: block.block, connections: held) }
    }
    let entry = blocks.first.map { open($0.block, now: now) }
    let wider = blocks.dropFirst().first.map { open($0.block, now: now) }
    return .allowed(AddressPlace(entry: entry, wider: wider))
  }

  fileprivate mutating func attempt(_ blocks: [LimitedBlock], now: Instant) -> AddressVerdict {
    chargeHandshake(blocks, now: now) ?? .allowed(.uncounted)
  }

  /// Charges a handshake to every block, or to none. A block that refuses makes no entry for the others.
  private mutating func chargeHandshake(_ blocks: [LimitedBlock], now: Instant) -> AddressVerdict? {
    var wait = Duration.zero
    var isReadable = true
    var refusing: [(LimitEntry<CIDR>, GCRA)] = []
    for block in blocks {
      guard let entry = find(block.block), let limit = block.limits.handshakes, let refusals = block.limits.refusals,
        case .retryAfter(let time) = entry.handshakes.verdict(on: 1, of: limit, now: now)
      else { continue }
      wait = max(wait, time)
      if entry.refusals.verdict(on: 1, of: refusals, now: now) != .allowed { isReadable = false }
      refusing.append((entry, refusals))
    }
    guard refusing.isEmpty else {
      if isReadable { for (entry, limit) in refusing { _ = entry.refusals.charge(1, of: limit, now: now) } }
      return .tooFast(retryAfter: wait, isReadable: isReadable)
    }
    for block in blocks {
      guard let limit = block.limits.handshakes else { continue }
      _ = obtain(block.block, now: now).handshakes.charge(1, of: limit, now: now)
    }
    return nil
  }
}
