import EdgeHTTP2

/// The streams of a connection that are open, by number.
///
/// A client's numbers only rise (RFC 9113 §5.1.1), so that the place of a new stream is the end, and a search among the 128 that there
/// may be takes a few steps: a hash would cost an echo over HTTP/2 some 400 user instructions (`scripts/bench --parts h2`).
struct StreamTable<Stream> {
  private var rows: [(number: StreamNumber, stream: Stream)] = []

  var count: Int { rows.count }

  var isEmpty: Bool { rows.isEmpty }

  /// All streams, in the order in which they were opened.
  var all: [Stream] { rows.map { $0.stream } }

  subscript(number: StreamNumber) -> Stream? {
    let place = place(of: number)
    guard place < rows.count, rows[place].number == number else { return nil }
    return rows[place].stream
  }

  /// Adds a stream whose number is above all that there are.
  mutating func append(_ stream: Stream, number: StreamNumber) {
    precondition(rows.last.map { $0.number < number } ?? true)
    rows.append((number, stream))
  }

  /// - Returns: whether it was there.
  mutating func remove(_ number: StreamNumber) -> Bool {
    let place = place(of: number)
    guard place < rows.count, rows[place].number == number else { return false }
    rows.remove(at: place)
    return true
  }

  /// Where a stream is, or would be.
  private func place(of number: StreamNumber) -> Int {
    var (low, high) = (0, rows.count)
    while low < high {
      let middle = (low + high) / 2
      if rows[middle].number < number { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
