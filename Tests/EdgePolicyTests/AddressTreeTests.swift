import EdgeCore
import Testing

@testable import EdgePolicy

@Suite struct `A tree of address blocks` {
  @Test func `finds every block that contains an address, the widest first`() throws {
    var tree = AddressTree<Int>()
    for (value, text) in ["10.1.2.3", "10.0.0.0/8", "0.0.0.0/0", "10.1.0.0/16", "10.1.2.0/24", "10.2.0.0/16", "::/0"].enumerated()
    {
      tree.insert(value, at: try #require(CIDR(text)))
    }
    #expect(try found(tree, "10.1.2.3") == [2, 1, 3, 4, 0])
    #expect(try found(tree, "::ffff:10.1.2.4") == [2, 1, 3, 4])
    #expect(try found(tree, "10.2.0.1") == [2, 1, 5])
    #expect(try found(tree, "192.0.2.1") == [2])
    #expect(try found(tree, "2001:db8::1") == [6])
  }

  @Test func `holds nothing after everything was removed`() throws {
    var tree = AddressTree<Int>()
    let blocks = try ["0.0.0.0/0", "128.0.0.0/1", "10.0.0.0/8", "10.0.0.0/9", "::/0", "2001:db8::/32", "2001:db8::1"].map {
      try #require(CIDR($0))
    }
    for (value, block) in blocks.enumerated() { tree.insert(value, at: block) }
    for (value, block) in blocks.enumerated() { tree.remove(value, at: block) }
    #expect(tree.nodeCount == 0)
    #expect(try found(tree, "10.0.0.1") == [])
  }

  /// Random blocks that are often nested, beside a plain list of them.
  @Test(arguments: 0..<40)
  func `says the same as a list that is searched from end to end`(seed: Int) {
    var random = SplitMix(state: UInt64(seed))
    var tree = AddressTree<Int>()
    var list: [(value: Int, block: CIDR)] = []
    for step in 0..<600 {
      if !list.isEmpty, Int.random(in: 0..<5, using: &random) < 2 {
        let (value, block) = list.remove(at: Int.random(in: 0..<list.count, using: &random))
        tree.remove(value, at: block)
      } else {
        let block = randomBlock(&random)
        tree.insert(step, at: block)
        list.append((step, block))
      }
      #expect(tree.nodeCount < max(1, 2 * Set(list.map(\.block)).count))
      let address = randomAddress(&random)
      let expected = list.filter { $0.block.contains(address) }
      var values: [Int] = []
      var widths: [Int] = []
      tree.forEachBlock(containing: address) { some in
        values += some
        widths.append(list.first { $0.value == some.first }?.block.prefixBits ?? -1)
      }
      #expect(Set(values) == Set(expected.map(\.value)) && values.count == expected.count)
      #expect(widths == widths.sorted())
    }
  }

  private func found(_ tree: AddressTree<Int>, _ text: String) throws -> [Int] {
    var values: [Int] = []
    tree.forEachBlock(containing: try #require(IPAddress(text))) { values += $0 }
    return values
  }
}

/// An address out of few, so that blocks meet: of either family, with some bits of the top and of the bottom changed.
func randomAddress(_ random: inout SplitMix) -> IPAddress {
  let bits = UInt64.random(in: 0..<4, using: &random) << 30 | UInt64.random(in: 0..<8, using: &random)
  switch Int.random(in: 0..<3, using: &random) {
  case 0: return IPAddress(v4: UInt32(truncatingIfNeeded: bits))
  case 1: return IPAddress(high: bits << 32, low: UInt64.random(in: 0..<4, using: &random) << 62)
  default: return IPAddress(high: 0, low: 0xffff_0000_0000 | bits & 0xffff_ffff)
  }
}

func randomBlock(_ random: inout SplitMix) -> CIDR {
  CIDR(randomAddress(&random), prefixBits: Int.random(in: 0...128, using: &random))
}
