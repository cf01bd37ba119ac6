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

    /// Whether connections that are over, or those that are not, are shown.
    func includes(over isOver: Bool) -> Bool {
      switch self {
      case .any: true
      case .open: !isOver
      case .closed: isOver
      }
    }

    /// Whether it takes looking at those that are open.
    public var includesOpen: Bool { includes(over: false) }

    /// Whether it takes looking at those that are over.
    public var includesClosed: Bool { includes(over: true) }
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
  /// Which of them are shown.
  public var filter = ConnectionFilter()

  /// Makes a query for the first page of all open connections.
  public init() {}

  /// The page that the query asks for, of a few connections; of many, see `ConnectionSelection`.
  ///
  /// - Parameters:
  ///   - connections: all there are, in any order.
  ///   - now: for the ages.
  public func page(of connections: [ConnectionSummary], now: Moment) -> ConnectionPage {
    var selection = ConnectionSelection(self, now: now)
    for connection in connections { selection.consider(connection) }
    let ids = selection.ids
    return selection.page(of: connections.filter { ids.contains($0.id) })
  }

  /// The most connections on a page.
  public static let maxLimit = 1_000
  /// How many are on a page if nobody says.
  public static let defaultLimit = 100
}
