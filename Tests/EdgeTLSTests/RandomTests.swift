import EdgeTLS
import Testing

@Suite struct `A supply of random numbers` {
  @Test func `hands out no number twice, however often it draws anew`() {
    var supply = RandomSupply()
    let numbers = (0..<10_000).map { _ in supply.word() }
    #expect(Set(numbers).count == numbers.count)
  }

  @Test func `shares none with another one`() {
    var one = RandomSupply()
    var other = RandomSupply()
    #expect(Set((0..<1_000).map { _ in one.word() }).isDisjoint(with: (0..<1_000).map { _ in other.word() }))
  }
}
