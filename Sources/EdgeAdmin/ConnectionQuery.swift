public import EdgeCore

/// Which connections a client of the API asked for, and in which order.
public struct ConnectionQuery: Equatable, Sendable {
  /// What the connections are sorted by; those that are equal in it, by their identifier.
  public enum Sort: String, Sendable, CaseIterable {
    /// When they opened.
    case opened
    /// When their last message passed.
    case active
    /// Messages, both ways.
    case messages
    /// Payload bytes, both ways.
    case bytes
    /// Bytes that wait for a slow peer.
    case queued
    /// The user, byte by byte.
    case user
  }

  /// Which states are shown.
  public enum StateFilter: String, Sendable, CaseIterable {
    /// Open ones, and those that are closing.
    case open
    /// Those that are over.
    case closed
    /// All.
    case any
  }

  /// The most connections on a page, 1 to `maxLimit`.
  public var limit = defaultLimit
  /// The order's key.
  public var sort = Sort.opened
  /// Whether the greatest come first.
  public var isDescending = false
  /// Where the page before ended.
  public var cursor: Cursor?
  /// Which states are shown.
  public var state = StateFilter.open
  /// Only this user's.
  public var user: String?
  /// Only those from this block of addresses.
  public var addresses: CIDR?
  /// Only those of this route.
  public var route: String?
  /// Only those of this worker, by its socket path.
  public var worker: String?

  /// Makes a query for the first page of all open connections.
  public init() {}

  /// Whether a connection passes the filters; the page does not matter here.
  public func matches(_ connection: ConnectionSummary) -> Bool {
    let stateMatches =
      switch state {
      case .open: connection.state != .closed
      case .closed: connection.state == .closed
      case .any: true
      }
    guard stateMatches else { return false }
    if let user, connection.user != user { return false }
    if let route, connection.route != route { return false }
    if let worker, connection.worker != worker { return false }
    if let addresses {
      guard let address = connection.clientAddress, addresses.contains(address) else { return false }
    }
    return true
  }

  /// The page that the query asks for.
  ///
  /// Pages follow one another by key, not by count: what opens or closes between two pages makes none appear twice, except where
  /// the key itself changes, as `messages` does.
  ///
  /// - Parameters:
  ///   - connections: all there are, in any order.
  ///   - now: for the ages.
  public func page(of connections: [ConnectionSummary], now: WallTime) -> ConnectionPage {
    let matched = connections.filter(matches).map {
      (key: Cursor(sort: sort, isDescending: isDescending, of: $0), connection: $0)
    }
    let rest = matched.filter { entry in cursor.map { $0.precedes(entry.key) } ?? true }.sorted { $0.key.precedes($1.key) }
    let shown = rest.prefix(limit)
    return ConnectionPage(
      now: now, total: connections.count, matched: matched.count,
      nextCursor: rest.count > shown.count ? shown.last?.key.description : nil, connections: shown.map(\.connection))
  }

  /// The most connections on a page.
  public static let maxLimit = 1_000
  /// How many are on a page if nobody says.
  public static let defaultLimit = 100
}
