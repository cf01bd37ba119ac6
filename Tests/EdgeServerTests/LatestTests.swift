import Testing

@testable import EdgeServer

@Suite struct `The latest` {
  @Test(arguments: [1, 2, 249, 250, 251, 600, 1_000])
  func `are the last so many, whenever somebody looks`(capacity: Int) {
    let latest = Latest<Int>(capacity)
    var model: [Int] = []
    for number in 0..<2_600 {
      latest.add(number)
      model = [number] + model.prefix(capacity - 1)
      if number % 83 == 0 || number % 250 < 2 { #expect(Array(latest.all) == model) }
    }
  }

  @Test func `do not change for who looks while more come`() {
    let latest = Latest<Int>(10)
    for number in 0..<5 { latest.add(number) }
    let seen = latest.all
    for number in 5..<2_000 { latest.add(number) }
    #expect(Array(seen) == [4, 3, 2, 1, 0])
  }
}
