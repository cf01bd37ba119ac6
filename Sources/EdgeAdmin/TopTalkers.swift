public import EdgeCore

/// Who talks most: the parameters of `GET /api/v1/top`.
public struct TopQuery: Equatable, Sendable {
  /// Whose connections are taken together.
  public enum Subject: String, Sendable, CaseIterable {
    /// Those of an address.
    case ip
    /// Those of a user.
    case user
  }

  /// Whose connections are taken together.
  public var subject: Subject
  /// The most of them that are told of.
  public var limit = defaultLimit

  init(_ query: Substring) throws(AdminProblem) {
    var parameters = try AdminQuery(query)
    guard let subject = try parameters.take("by", expecting: "ip or user", { Subject(rawValue: $0) }) else {
      throw AdminProblem(400, "bad_query", "Say by=ip or by=user.")
    }
    self.subject = subject
    limit = try parameters.takeLimit(upTo: ConnectionQuery.maxLimit) ?? limit
    try parameters.finish()
  }

  private static let defaultLimit = 20
}

/// What the connections of one address, or of one user, amount to.
public struct Talker: Equatable, Sendable {
  /// How many there are.
  public var connections = 0
  /// Messages and payload bytes from the client, since the connections opened.
  public var received = ConnectionSummary.Traffic()
  /// Messages and payload bytes to the client, since the connections opened.
  public var sent = ConnectionSummary.Traffic()
  /// Messages from the client since the last look at them.
  public var recent: UInt64 = 0
  /// How many of the connections are beyond a limit.
  public var throttled = 0

  /// Makes the sum of no connections.
  public init() {}

  /// Adds what is known of others of the same address or user.
  public mutating func add(_ other: Talker) {
    connections += other.connections
    received.messages &+= other.received.messages
    received.bytes &+= other.received.bytes
    sent.messages &+= other.sent.messages
    sent.bytes &+= other.sent.bytes
    recent &+= other.recent
    throttled += other.throttled
  }
}

/// Who talks most, and how that was measured.
public struct TopTalkers: Equatable, Sendable {
  /// When.
  public var now: WallTime
  /// How long ago the last look was, which is the time that `recent` counts; nil where this is the first in a while.
  public var window: Duration?
  /// All there are, in any order.
  public var talkers: [String: Talker]

  /// Makes a table.
  public init(now: WallTime, window: Duration?, talkers: [String: Talker]) {
    self.now = now
    self.window = window
    self.talkers = talkers
  }

  /// The first `query.limit`: by messages from the client since the last look, or over all where there was none.
  func json(_ query: TopQuery) -> JSON {
    let first = talkers.sorted { ($1.value.weight(window), $0.key) < ($0.value.weight(window), $1.key) }.prefix(query.limit)
    return [
      "now": .string(now.rfc3339), "by": .string(query.subject.rawValue),
      "window_seconds": window.map { .number($0.inSeconds) } ?? .null,
      "top": .array(first.map { key, talker in talker.json(key, window: window) }),
    ]
  }
}

extension Talker {
  fileprivate func weight(_ window: Duration?) -> UInt64 { window == nil ? received.messages : recent }

  fileprivate func json(_ key: String, window: Duration?) -> JSON {
    [
      "key": .string(key), "connections": .integer(Int64(connections)),
      "messages_in": .integer(Int64(clamping: received.messages)), "messages_out": .integer(Int64(clamping: sent.messages)),
      "bytes_in": .integer(Int64(clamping: received.bytes)), "bytes_out": .integer(Int64(clamping: sent.bytes)),
      "messages_in_per_second": window.map { .number(Double(recent) / $0.inSeconds) } ?? .null,
      "throttled": .integer(Int64(throttled)),
    ]
  }
}
