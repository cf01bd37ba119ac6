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

    /// Whether connections that are in `state` are shown.
    func includes(_ state: ConnectionSummary.State) -> Bool {
      switch (self, state) {
      case (.any, _), (.open, .open), (.open, .closing), (.closed, .closed): true
      case (.open, .closed), (.closed, .open), (.closed, .closing): false
      }
    }

    /// Whether it takes looking at those that are open.
    public var includesOpen: Bool { includes(.open) }

    /// Whether it takes looking at those that are over.
    public var includesClosed: Bool { includes(.closed) }
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
  /// Pages follow one another by key, not by count: what opens or closes between two pages makes none appear twice, except where
  /// the key itself changes, as `messages` does.
  ///
  /// - Parameters:
  ///   - connections: all there are, in any order.
  ///   - now: for the ages.
  public func page(of connections: [ConnectionSummary], now: WallTime) -> ConnectionPage {
    var selection = ConnectionSelection(self, now: now)
    for connection in connections { selection.consider(connection) }
    return selection.page()
  }

  /// The most connections on a page.
  public static let maxLimit = 1_000
  /// How many are on a page if nobody says.
  public static let defaultLimit = 100
}
