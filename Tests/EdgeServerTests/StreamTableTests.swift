import EdgeHTTP2
import Testing

@testable import EdgeServer

struct StreamTableTests {
  @Test func `streams are found by number, those that are gone or were never there are not`() {
    var table = StreamTable<String>()
    for number in stride(from: StreamNumber(1), to: 257, by: 2) { table.append("stream \(number)", number: number) }
    #expect(table.count == 128)
    let removed = stride(from: StreamNumber(1), to: 257, by: 4).map { table.remove($0) }
    #expect(removed.count == 64 && removed.allSatisfy { $0 })
    for number in StreamNumber(0)...260 {
      #expect(table[number] == (number % 4 == 3 && number < 257 ? "stream \(number)" : nil))
    }
    let unknown: [StreamNumber] = [1, 2, 259]
    #expect(unknown.map { table.remove($0) } == [false, false, false])
    #expect(table.all == stride(from: 3, to: 257, by: 4).map { "stream \($0)" })
  }

  @Test func `the last stream leaves an empty table`() {
    var table = StreamTable<String>()
    #expect(table.isEmpty && table[1] == nil)
    table.append("only", number: 7)
    #expect(table[7] == "only" && table[5] == nil && table[9] == nil)
    let wasThere = table.remove(7)
    #expect(wasThere && table.isEmpty)
  }
}
