public import EdgeCore

/// Who is on one page of connections: as many of the first behind the cursor as the page has room for, and counts.
///
/// Each reactor selects of its own, and the page is made of their union: nobody ever sorts or copies all there are. It holds no more
/// places than the page, takes about as long for each connection whether there are a thousand or a million, and asks each only for
/// what the query asks for: what the page says of those who are on it is asked of them alone, and later.
///
/// Pages follow one another by key, not by count: what opens or closes between two pages makes none appear twice, except where
/// the key itself changes, as `messages` does.
public struct ConnectionSelection: Sendable {
  private let query: ConnectionQuery
  private let now: Moment
  private var total = 0
  private var matched = 0
  /// How many of those that match stand behind the cursor.
  private var remaining = 0
  /// The first places so far, as a heap: none comes after its parent, so that the last of them is on top.
  private var first: [ConnectionQuery.Cursor] = []

  /// Begins a selection.
  ///
  /// - Parameter now: for ages and times of silence.
  public init(_ query: ConnectionQuery, now: Moment) {
    self.query = query
    self.now = now
  }

  /// Considers a connection.
  public mutating func consider(_ connection: some ListedConnection) {
    guard query.state.includes(over: connection.ended != nil) else { return }
    total += 1
    guard query.filter.matches(connection, now: now.instant) else { return }
    matched += 1
    let place = place(of: connection)
    if let cursor = query.cursor, !cursor.precedes(place) { return }
    remaining += 1
    keep(place)
  }

  /// Adds what was selected elsewhere, of other connections.
  public mutating func add(_ other: ConnectionSelection) {
    total += other.total
    matched += other.matched
    remaining += other.remaining
    for place in other.first { keep(place) }
  }

  /// Who is on the page.
  public var ids: Set<ConnectionID> { Set(first.map(\.id)) }

  /// The page.
  ///
  /// - Parameter connections: those of `ids`, in any order. One that has closed meanwhile may be missing; those that are there stand
  ///   where they belong by now.
  public func page(of connections: [ConnectionSummary]) -> ConnectionPage {
    // Places are moved about, and not connections, which are large.
    let sorted = connections.indices.map { (place: place(of: connections[$0]), index: $0) }.sorted { $0.place.precedes($1.place) }
    let last = remaining > first.count ? first.first : nil
    return ConnectionPage(
      now: now, total: total, matched: matched, nextCursor: last?.description, connections: sorted.map { connections[$0.index] })
  }

  private func place(of connection: some ListedConnection) -> ConnectionQuery.Cursor {
    ConnectionQuery.Cursor(sort: query.sort, isDescending: query.isDescending, of: connection)
  }

  /// Takes a place in, if there is room for it or it comes before the last of those that are there, which then goes.
  private mutating func keep(_ place: ConnectionQuery.Cursor) {
    if first.count < query.limit {
      first.append(place)
      rise(first.count - 1)
    } else if place.precedes(first[0]) {
      first[0] = place
      sink()
    }
  }

  private mutating func rise(_ start: Int) {
    var index = start
    while index > 0, first[(index - 1) / 2].precedes(first[index]) {
      first.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  private mutating func sink() {
    var index = 0
    while let child = lastChild(of: index), first[index].precedes(first[child]) {
      first.swapAt(index, child)
      index = child
    }
  }

  /// The one of both children that comes last; nil where there is none.
  private func lastChild(of index: Int) -> Int? {
    let (left, right) = (2 * index + 1, 2 * index + 2)
    guard right < first.count else { return left < first.count ? left : nil }
    return first[left].precedes(first[right]) ? right : left
  }
}
