public import EdgeCore

/// What there is for one page of connections: as many of the first behind the cursor as the page has room for, and counts.
///
/// Each reactor selects its own, and the page is made of their union: nobody ever sorts or copies all there are. It holds at most
/// twice the page, and takes about as long for each connection whether there are a thousand or a million.
public struct ConnectionSelection: Sendable {
  private let query: ConnectionQuery
  private let now: WallTime
  private var total = 0
  private var matched = 0
  /// How many of those that match stand behind the cursor.
  private var remaining = 0
  /// The best so far, in no order; sorted and cut to the page once it is twice as long.
  private var best: [Entry] = []
  /// What is behind this has no place on the page.
  private var worst: ConnectionQuery.Cursor?

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
    if let worst, !place.precedes(worst) { return }
    best.append(Entry(place: place, connection: Shared(connection)))
    if best.count == 2 * query.limit { cut() }
  }

  /// Adds what was selected elsewhere, of other connections.
  public mutating func add(_ other: ConnectionSelection) {
    total += other.total
    matched += other.matched
    remaining += other.remaining
    best += other.best
  }

  /// The page.
  public func page() -> ConnectionPage {
    var whole = self
    whole.cut()
    return ConnectionPage(
      now: now, total: total, matched: matched,
      nextCursor: remaining > whole.best.count ? whole.best.last?.place.description : nil,
      connections: whole.best.map(\.connection.value))
  }

  private mutating func cut() {
    best.sort { $0.place.precedes($1.place) }
    best.removeLast(max(0, best.count - query.limit))
    if best.count == query.limit { worst = best.last?.place }
  }

  private struct Entry: Sendable {
    let place: ConnectionQuery.Cursor
    /// By reference: sorting moves entries about.
    let connection: Shared<ConnectionSummary>
  }
}
