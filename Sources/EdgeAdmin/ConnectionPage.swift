public import EdgeCore

/// One page of connections.
public struct ConnectionPage: Equatable, Sendable {
  /// When the page was made.
  public var now: Moment
  /// How many connections of the states that were asked for there are, filters or not.
  public var total: Int
  /// How many of them pass the filters.
  public var matched: Int
  /// What to ask for to get the page after this one; nil on the last.
  public var nextCursor: String?
  /// The connections of this page.
  public var connections: [ConnectionSummary]

  /// Makes a page.
  public init(now: Moment, total: Int, matched: Int, nextCursor: String?, connections: [ConnectionSummary]) {
    self.now = now
    self.total = total
    self.matched = matched
    self.nextCursor = nextCursor
    self.connections = connections
  }

  /// The page as JSON text: one connection after the other, so that it is never there in two forms at once.
  ///
  /// - Parameter giveWay: called every hundred microseconds or so.
  func encoded(giveWay: () -> Void) -> [UInt8] {
    let counts: JSON = [
      "now": .string(now.wallTime.rfc3339), "total": .integer(Int64(total)), "matched": .integer(Int64(matched)),
      "next_cursor": nextCursor.map(JSON.string) ?? .null,
    ]
    var text: [UInt8] = []
    text.reserveCapacity(256 + connections.count * Self.usualRowBytes)
    counts.encode(into: &text)
    // The counts' closing brace makes room for one more member.
    text.removeLast()
    text += ",\"connections\":[".utf8
    for (index, connection) in connections.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      connection.json(now: now.instant).encode(into: &text)
      if index % Self.rowsAtOnce == Self.rowsAtOnce - 1 { giveWay() }
    }
    text += "]}\n".utf8
    return text
  }

  private static let usualRowBytes = 512
  private static let rowsAtOnce = 50
}

extension ConnectionQuery {
  /// A place in an order of connections: the key of the last one shown, and its identifier.
  public struct Cursor: Equatable, Sendable, CustomStringConvertible {
    private let sort: Sort
    private let isDescending: Bool
    /// The key, where it is a number; else zero.
    private let number: Int64
    /// The key, where it is text; else empty.
    private let text: String
    /// The connection that stands there.
    let id: ConnectionID

    init(sort: Sort, isDescending: Bool, of connection: some ListedConnection) {
      self.sort = sort
      self.isDescending = isDescending
      id = connection.id
      text = sort == .user ? connection.user ?? "" : ""
      number =
        switch sort {
        case .opened: Int64(clamping: connection.opened.instant.nanoseconds)
        case .active: Int64(clamping: connection.lastMessage.nanoseconds)
        case .messages: Int64(clamping: connection.received.messages &+ connection.sent.messages)
        case .bytes: Int64(clamping: connection.received.bytes &+ connection.sent.bytes)
        case .queued: Int64(connection.queuedBytes)
        case .user: 0
        }
    }

    /// Reads what `description` gives; nil if it is not a cursor of just this order.
    init?(_ cursor: String, sort: Sort, isDescending: Bool) {
      let parts = cursor.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 4, parts[0] == sort.rawValue, parts[1] == orderWord(isDescending), let id = ConnectionID(parts[3])
      else {
        return nil
      }
      switch sort {
      case .opened, .active, .messages, .bytes, .queued:
        guard let number = Int64(parts[2]) else { return nil }
        (self.number, text) = (number, "")
      case .user:
        guard let text = Hexadecimal.bytes(parts[2].utf8).flatMap({ String(validating: $0, as: UTF8.self) }) else { return nil }
        (number, self.text) = (0, text)
      }
      self.sort = sort
      self.isDescending = isDescending
      self.id = id
    }

    /// Text that is safe in a query.
    public var description: String {
      let keyText = sort == .user ? Hexadecimal.text(text.utf8) : String(number)
      return "\(sort.rawValue).\(orderWord(isDescending)).\(keyText).\(id)"
    }

    /// Whether this place comes before `other` in the order of both.
    func precedes(_ other: Cursor) -> Bool {
      if number != other.number { return (number < other.number) != isDescending }
      if sort == .user, !text.utf8.elementsEqual(other.text.utf8) {
        return text.utf8.lexicographicallyPrecedes(other.text.utf8) != isDescending
      }
      return isDescending ? other.id < id : id < other.id
    }
  }
}

private func orderWord(_ isDescending: Bool) -> String {
  isDescending ? "desc" : "asc"
}
