public import EdgeCore

/// One page of connections.
public struct ConnectionPage: Equatable, Sendable {
  /// When the page was made.
  public var now: WallTime
  /// How many connections of the states that were asked for there are, filters or not.
  public var total: Int
  /// How many of them pass the filters.
  public var matched: Int
  /// What to ask for to get the page after this one; nil on the last.
  public var nextCursor: String?
  /// The connections of this page.
  public var connections: [ConnectionSummary]

  /// Makes a page.
  public init(now: WallTime, total: Int, matched: Int, nextCursor: String?, connections: [ConnectionSummary]) {
    self.now = now
    self.total = total
    self.matched = matched
    self.nextCursor = nextCursor
    self.connections = connections
  }

  var json: JSON {
    [
      "now": .string(now.rfc3339), "total": .integer(Int64(total)), "matched": .integer(Int64(matched)),
      "next_cursor": nextCursor.map(JSON.string) ?? .null, "connections": .array(connections.map { $0.json(now: now) }),
    ]
  }
}

extension ConnectionQuery {
  /// A place in an order of connections: the key of the last one shown, and its identifier.
  public struct Cursor: Equatable, Sendable, CustomStringConvertible {
    private enum Key: Equatable {
      case number(Int64)
      case text(String)
    }

    private let sort: Sort
    private let isDescending: Bool
    private let key: Key
    private let id: ConnectionID

    init(sort: Sort, isDescending: Bool, of connection: ConnectionSummary) {
      self.sort = sort
      self.isDescending = isDescending
      id = connection.id
      key =
        switch sort {
        case .opened: .number(connection.openedAt.nanoseconds)
        case .active: .number(connection.lastMessageAt.nanoseconds)
        case .messages: .number(Int64(clamping: connection.received.messages &+ connection.sent.messages))
        case .bytes: .number(Int64(clamping: connection.received.bytes &+ connection.sent.bytes))
        case .queued: .number(Int64(connection.queuedBytes))
        case .user: .text(connection.user ?? "")
        }
    }

    /// Reads what `description` gives; nil if it is not a cursor of just this order.
    init?(_ text: String, sort: Sort, isDescending: Bool) {
      let parts = text.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 4, parts[0] == sort.rawValue, parts[1] == orderWord(isDescending), let id = ConnectionID(parts[3])
      else {
        return nil
      }
      switch sort {
      case .opened, .active, .messages, .bytes, .queued:
        guard let number = Int64(parts[2]) else { return nil }
        key = .number(number)
      case .user:
        guard let text = Hexadecimal.bytes(parts[2].utf8).flatMap({ String(validating: $0, as: UTF8.self) }) else { return nil }
        key = .text(text)
      }
      self.sort = sort
      self.isDescending = isDescending
      self.id = id
    }

    /// Text that is safe in a query.
    public var description: String {
      let keyText =
        switch key {
        case .number(let number): String(number)
        case .text(let text): Hexadecimal.text(text.utf8)
        }
      return "\(sort.rawValue).\(orderWord(isDescending)).\(keyText).\(id)"
    }

    /// Whether this place comes before `other` in the order of both.
    func precedes(_ other: Cursor) -> Bool {
      switch (key, other.key) {
      case (.number(let mine), .number(let theirs)) where mine != theirs: return (mine < theirs) != isDescending
      case (.text(let mine), .text(let theirs)) where !mine.utf8.elementsEqual(theirs.utf8):
        return mine.utf8.lexicographicallyPrecedes(theirs.utf8) != isDescending
      case (.number, _), (.text, _): return isDescending ? other.id < id : id < other.id
      }
    }
  }
}

private func orderWord(_ isDescending: Bool) -> String {
  isDescending ? "desc" : "asc"
}
