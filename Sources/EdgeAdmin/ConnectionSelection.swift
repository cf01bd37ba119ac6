public import EdgeCore

/// What there is for one page of connections: as many of the first behind the cursor as the page has room for, and counts.
///
/// Each reactor selects its own, and the page is made of their union: nobody ever sorts or copies all there are. It holds no more
/// than the page, and takes about as long for each connection whether there are a thousand or a million.
public struct ConnectionSelection: Sendable {
  private let query: ConnectionQuery
  private let now: WallTime
  private var total = 0
  private var matched = 0
  /// How many of those that match stand behind the cursor.
  private var remaining = 0
  /// The first so far, as a heap: none comes after its parent, so that the last of them is on top.
  private var first: [Entry] = []

  /// Begins a selection.
  ///
  /// - Parameter now: for ages and times of silence.
  public init(_ query: ConnectionQuery, now: WallTime) {
    self.query = query
    self.now = now
  }

  /// Considers a connection.
  public mutating func consider(_ connection: ConnectionSummary) {
    guard query.state.includes(connection.state) else { return }
    total += 1
    guard query.filter.matches(connection, now: now) else { return }
    matched += 1
    let place = ConnectionQuery.Cursor(sort: query.sort, isDescending: query.isDescending, of: connection)
    if let cursor = query.cursor, !cursor.precedes(place) { return }
    remaining += 1
    if first.count == query.limit, !place.precedes(first[0].place) { return }
    keep(Entry(place: place, connection: Shared(connection)))
  }

  /// Adds what was selected elsewhere, of other connections.
  public mutating func add(_ other: ConnectionSelection) {
    total += other.total
    matched += other.matched
    remaining += other.remaining
    for entry in other.first { keep(entry) }
  }

  /// The page.
  public func page() -> ConnectionPage {
    let sorted = first.sorted { $0.place.precedes($1.place) }
    return ConnectionPage(
      now: now, total: total, matched: matched,
      nextCursor: remaining > sorted.count ? sorted.last?.place.description : nil, connections: sorted.map(\.connection.value))
  }

  /// Takes an entry in, if there is room for it or it comes before the last of those that are there, which then goes.
  private mutating func keep(_ entry: Entry) {
    if first.count < query.limit {
      first.append(entry)
      rise(first.count - 1)
    } else if entry.place.precedes(first[0].place) {
      first[0] = entry
      sink()
    }
  }

  private mutating func rise(_ start: Int) {
    var index = start
    while index > 0, first[(index - 1) / 2].place.precedes(first[index].place) {
      first.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  private mutating func sink() {
    var index = 0
    while let child = lastChild(of: index), first[index].place.precedes(first[child].place) {
      first.swapAt(index, child)
      index = child
    }
  }

  /// The one of both children that comes last; nil where there is none.
  private func lastChild(of index: Int) -> Int? {
    let (left, right) = (2 * index + 1, 2 * index + 2)
    guard right < first.count else { return left < first.count ? left : nil }
    return first[left].place.precedes(first[right].place) ? right : left
  }

  private struct Entry: Sendable {
    let place: ConnectionQuery.Cursor
    /// By reference, since entries are moved about.
    let connection: Shared<ConnectionSummary>
  }
}
