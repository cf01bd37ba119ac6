internal import EdgeCore

/// Finds every block of a set that contains an address: a path-compressed radix tree in one flat array.
///
/// The two families have a tree each, since no block holds addresses of both. A node stands for a block: one that values were
/// inserted at, or the smallest that two of its kind share. So there are fewer than twice as many nodes as blocks, and a lookup
/// visits at most one for each bit of the address.
struct AddressTree<Value: Equatable & Sendable>: Sendable {
  private var nodes: [Node] = []
  /// Slots of nodes that were removed.
  private var free: [Int32] = []
  private var ipv4Root = none
  private var ipv6Root = none

  /// Adds a value at a block; blocks and values may repeat.
  mutating func insert(_ value: Value, at block: CIDR) {
    let prefix = Prefix(block)
    let path = path(to: prefix, from: root(of: block))
    var node = Node(prefix: prefix, values: [value])
    guard let last = path.last else { return replace(none, below: path, of: block, with: add(node)) }
    let found = nodes[Int(last)]
    if found.prefix == prefix {
      nodes[Int(last)].values.append(value)
    } else if found.prefix.contains(prefix) {
      nodes[Int(last)].children[prefix.bit(found.prefix.length)] = add(node)
    } else {
      let shared = prefix.shared(with: found.prefix)
      let parents = path.dropLast()
      if shared == prefix {
        node.children[found.prefix.bit(prefix.length)] = last
        replace(last, below: parents, of: block, with: add(node))
      } else {
        var fork = Node(prefix: shared, values: [])
        fork.children[prefix.bit(shared.length)] = add(node)
        fork.children[found.prefix.bit(shared.length)] = last
        replace(last, below: parents, of: block, with: add(fork))
      }
    }
  }

  /// Removes one such value from a block, if it is there.
  mutating func remove(_ value: Value, at block: CIDR) {
    let path = path(to: Prefix(block), from: root(of: block))
    guard let last = path.last, nodes[Int(last)].prefix == Prefix(block),
      let place = nodes[Int(last)].values.firstIndex(of: value)
    else { return }
    nodes[Int(last)].values.remove(at: place)
    prune(path, of: block)
  }

  /// Calls `body` with the values of each block that contains `address`, the widest first.
  func forEachBlock(containing address: IPAddress, _ body: ([Value]) -> Void) {
    let prefix = Prefix(address)
    var slot = address.isIPv4 ? ipv4Root : ipv6Root
    while slot != none, nodes[Int(slot)].prefix.contains(prefix) {
      let node = nodes[Int(slot)]
      if !node.values.isEmpty { body(node.values) }
      slot = node.prefix.length < Prefix.maxLength ? node.children[prefix.bit(node.prefix.length)] : none
    }
  }

  /// How many nodes there are.
  var nodeCount: Int { nodes.count - free.count }

  // MARK: Structure

  private func root(of block: CIDR) -> Int32 { block.network.isIPv4 ? ipv4Root : ipv6Root }

  /// The nodes from the root to `prefix`: each contains it, but for the last, which may be it, lie in it, or fork off before it.
  private func path(to prefix: Prefix, from root: Int32) -> [Int32] {
    var path: [Int32] = []
    var slot = root
    while slot != none {
      path.append(slot)
      let found = nodes[Int(slot)]
      guard found.prefix.contains(prefix), found.prefix != prefix else { break }
      slot = found.children[prefix.bit(found.prefix.length)]
    }
    return path
  }

  /// Puts `other` where `slot` hangs: below the last node of `parents`, or at the root.
  private mutating func replace(
    _ slot: Int32, below parents: some BidirectionalCollection<Int32>, of block: CIDR, with other: Int32
  ) {
    guard let parent = parents.last else {
      if block.network.isIPv4 { ipv4Root = other } else { ipv6Root = other }
      return
    }
    nodes[Int(parent)].children[nodes[Int(parent)].children[0] == slot ? 0 : 1] = other
  }

  /// Takes out the nodes at the end of `path` that nothing needs any more: at most a block, and the fork it hung from.
  private mutating func prune(_ path: [Int32], of block: CIDR) {
    var path = path
    while let last = path.popLast() {
      let node = nodes[Int(last)]
      guard node.values.isEmpty, node.children[0] == none || node.children[1] == none else { return }
      replace(last, below: path, of: block, with: node.children[0] == none ? node.children[1] : node.children[0])
      nodes[Int(last)] = Node(prefix: node.prefix, values: [])
      free.append(last)
    }
  }

  private mutating func add(_ node: Node) -> Int32 {
    if let slot = free.popLast() {
      nodes[Int(slot)] = node
      return slot
    }
    nodes.append(node)
    return Int32(nodes.count - 1)
  }

  private struct Node: Sendable {
    let prefix: Prefix
    var values: [Value]
    var children: InlineArray<2, Int32> = [none, none]
  }
}

/// The leading bits of an address of either family, from the top of 128.
private struct Prefix: Hashable, Sendable {
  let high: UInt64
  let low: UInt64
  let length: Int

  static let maxLength = 128

  init(_ block: CIDR) {
    self.init(block.network, length: block.prefixBits)
  }

  init(_ address: IPAddress) {
    self.init(address, length: address.isIPv4 ? 32 : 128)
  }

  private init(_ address: IPAddress, length: Int) {
    high = address.isIPv4 ? address.low << 32 : address.high
    low = address.isIPv4 ? 0 : address.low
    self.length = length
  }

  private init(high: UInt64, low: UInt64, length: Int) {
    let rest = length < 64 ? UInt64.max >> UInt64(length) : 0
    self.high = high & ~rest
    self.low = length <= 64 ? 0 : low & ~(length == 128 ? 0 : UInt64.max >> UInt64(length - 64))
    self.length = length
  }

  /// Whether `other` begins with these bits.
  func contains(_ other: Prefix) -> Bool {
    length <= other.length && commonBits(with: other) >= length
  }

  /// The bits that both begin with.
  func shared(with other: Prefix) -> Prefix {
    Prefix(high: high, low: low, length: min(length, other.length, commonBits(with: other)))
  }

  /// One bit, counted from the top.
  func bit(_ index: Int) -> Int {
    Int(truncatingIfNeeded: index < 64 ? high >> UInt64(63 - index) : low >> UInt64(127 - index)) & 1
  }

  private func commonBits(with other: Prefix) -> Int {
    high != other.high ? (high ^ other.high).leadingZeroBitCount : 64 + (low ^ other.low).leadingZeroBitCount
  }
}

/// No node.
private let none: Int32 = -1
