public import EdgeCore

/// What one connection of HTTP/2 may send besides requests and their data: frames that cost the edge work, and carry nothing.
///
/// Each kind has a budget of its own, far above what any client needs. A client that is beyond one is sent away: waiting would not
/// make the frames that are on their way any fewer.
public struct FloodBudget: Sendable {
  /// A kind of flood; its word is the label of the metric and the key of the log.
  public enum Kind: Int, Sendable, CaseIterable {
    /// Requests that the client takes back (CVE-2023-44487).
    case resetReceived
    /// Streams that the client made us reset (CVE-2025-8671).
    case resetProvoked
    /// Heads in more pieces than they need.
    case continuation
    /// SETTINGS, each of which is to be acknowledged.
    case settings
    /// PING, each of which is to be answered.
    case ping
    /// PRIORITY, which nobody heeds any more.
    case priority
    /// WINDOW_UPDATE, beyond what our data gives reason for.
    case windowUpdate
    /// DATA without data that does not end a stream.
    case emptyData
    /// Heads that become too large once they are decompressed.
    case headerTable
    /// Answers that the client provokes and does not read.
    case unreadAnswer
  }

  private var words = InlineArray<10, UInt64>(repeating: 0)
  @usableFromInline
  var earnedUpdates: UInt32 = 0

  /// Makes full budgets.
  public init() {}

  /// Charges one frame, or whatever the kind counts.
  ///
  /// - Returns: whether the client may go on.
  public mutating func charge(_ kind: Kind, now: Instant) -> Bool {
    if kind == .windowUpdate, earnedUpdates > 0 {
      earnedUpdates -= 1
      return true
    }
    guard let word = kind.rate.wordAfter(words[kind.rawValue], cost: 1, now: now) else { return false }
    words[kind.rawValue] = word
    return true
  }

  /// A frame of data was sent: the client may answer it with updates of both windows.
  @inlinable
  public mutating func sentData() {
    earnedUpdates = min(earnedUpdates + 2, Self.maxEarnedUpdates)
  }

  /// A client that answers much later than it reads may still answer this much.
  @usableFromInline
  static let maxEarnedUpdates: UInt32 = 20_000
}

extension FloodBudget.Kind {
  /// The word for metrics and logs.
  public var word: String {
    switch self {
    case .resetReceived: "rapid_reset"
    case .resetProvoked: "provoked_reset"
    case .continuation: "continuation"
    case .settings: "settings"
    case .ping: "ping"
    case .priority: "priority"
    case .windowUpdate: "window_update"
    case .emptyData: "empty_data"
    case .headerTable: "header_table"
    case .unreadAnswer: "unread_answer"
    }
  }

  /// How many may come at once, and how many a second after that.
  fileprivate var rate: GCRA {
    switch self {
    // A page that is left takes back all that it had asked for.
    case .resetReceived: busyRate
    // 100 in 10 seconds.
    case .resetProvoked, .continuation, .ping, .emptyData: strictRate
    case .settings, .headerTable: rareRate
    case .priority, .windowUpdate: looseRate
    // Whoever counts these knows when they are too many.
    case .unreadAnswer: rareRate
    }
  }
}

private let strictRate = GCRA(unitsPerSecond: 10, burst: 100)
private let busyRate = GCRA(unitsPerSecond: 20, burst: 300)
private let rareRate = GCRA(unitsPerSecond: 1, burst: 20)
private let looseRate = GCRA(unitsPerSecond: 100, burst: 1000)
