import Testing

@testable import EdgeTLS

@Suite struct `A supply of random numbers` {
  @Test func `hands out no number twice, however often it draws anew`() {
    var supply = RandomSupply()
    let numbers = (0..<10_000).map { _ in supply.word() }
    #expect(Set(numbers).count == numbers.count)
  }

  @Test func `fills a buffer with words that it hands out once`() {
    var supply = RandomSupply()
    var bytes = [UInt8](repeating: 0, count: 80_000)
    bytes.withUnsafeMutableBytes { supply.fill($0) }
    let words = bytes.withUnsafeBytes { Array($0.bindMemory(to: UInt64.self)) }
    #expect(Set(words).count == 10_000 && !words.contains(supply.word()))
  }

  @Test func `shares none with another one`() {
    var one = RandomSupply()
    var other = RandomSupply()
    #expect(Set((0..<1_000).map { _ in one.word() }).isDisjoint(with: (0..<1_000).map { _ in other.word() }))
  }
}
