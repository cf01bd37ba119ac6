import Testing

@testable import EdgeServer

@Suite struct `A batch` {
  @Test func `gives back what was put in, in that order, and has room again when it is empty`() {
    var batch = Batch<Int>(capacity: 3)
    for round in 0..<3 {
      for number in 0..<3 { batch.put(3 * round + number) }
      let isFull = batch.isFull
      #expect(isFull)
      var taken: [Int] = []
      while let number = batch.take() { taken.append(number) }
      #expect(taken == [3 * round, 3 * round + 1, 3 * round + 2])
      let hasRoom = batch.isEmpty && !batch.isFull
      #expect(hasRoom)
    }
  }

  @Test func `takes what is put in while it is emptied`() {
    var batch = Batch<Int>(capacity: 3)
    batch.put(1)
    batch.put(2)
    var taken = [batch.take()]
    batch.put(3)
    for _ in 0..<3 { taken.append(batch.take()) }
    #expect(taken == [1, 2, 3, nil])
  }

  @Test func `lets go of what is taken out, and at its end of the rest`() {
    weak var first: Held?
    weak var second: Held?
    do {
      var batch = Batch<Held>(capacity: 2)
      do {
        let (one, two) = (Held(), Held())
        (first, second) = (one, two)
        batch.put(one)
        batch.put(two)
      }
      _ = batch.take()
      #expect(first == nil && second != nil)
    }
    #expect(second == nil)
  }
}

private final class Held {}
