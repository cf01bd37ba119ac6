public import EdgeCore

/// The leader's side of the embedded broker: gives messages their numbers, and remembers who is where.
///
/// Exactly one process leads at a time. It starts from its own copy of the rooms. When it cannot be sure that this copy is the
/// last word of the leader before it, every room begins a new life: numbers go on, and positions of the old life are
/// recognised up to the last message that is known.
///
/// State machine without input or output: commands and `now` in, deliveries out. The caller delivers them in order, and each
/// one to the other processes before its own, so that nobody sees a message that a surviving process was not sent.
public struct BrokerState: Sendable {
  /// Something to tell one process or all of them.
  public enum Delivery: Hashable, Sendable {
    /// Tell every process that said hello, this one too.
    case everyone(BrokerEvent)
    /// Tell one process.
    case one(NodeID, BrokerEvent)
  }

  /// The rooms as of the last change.
  public private(set) var table: RoomTable
  private let limits: ChatLimits
  private let life: String
  private var livesBegun = 0
  private var nodes: Set<NodeID> = []
  private var unconfirmed: [NodeID: Unconfirmed] = [:]
  private var lastUse: [RoomName: UInt64] = [:]
  private var uses: UInt64 = 0

  /// Begins to lead.
  ///
  /// - Parameters:
  ///   - table: this process's copy of the rooms.
  ///   - isCurrent: whether that copy is surely the last word: nobody led before, or the leader said farewell.
  ///   - life: random bits that no other leader has; they make the epochs unique.
  ///   - now: from when on the users of other processes have `rejoinGrace` to be confirmed.
  public init(table: RoomTable, isCurrent: Bool, life: UInt64, limits: ChatLimits, now: Instant) {
    self.table = table
    self.limits = limits
    self.life = String(life, radix: 36)
    if !isCurrent {
      for room in table.rooms.keys { self.table.beginLife(in: room, epoch: nextEpoch()) }
    }
    for node in table.nodes { leaveUnconfirmed(node, now: now) }
  }

  /// Takes a command of a process. Commands before its hello are ignored.
  ///
  /// - Parameter time: the wall clock, in milliseconds since 1970-01-01 UTC; the timestamp of a new message.
  public mutating func received(_ command: BrokerCommand, from node: NodeID, now: Instant, time: Int64) -> [Delivery] {
    guard nodes.contains(node) || command == .hello(node: node) else { return [] }
    switch command {
    case .hello:
      return greet(node, now: now)
    case .publish(let token, let room, let sender, let id, let text, let timestamp):
      let draft = Draft(sender: sender, id: id, text: text, timestamp: timestamp ?? time)
      return publish(draft, in: room).map { $0 + reply($1, token: token, to: node) } ?? reply(.roomsFull, token: token, to: node)
    case .enter(let token, let room, let user):
      guard var deliveries = open(room) else { return reply(.roomsFull, token: token, to: node) }
      unconfirmed[node]?.presence.remove(Presence(room: room, user: user))
      if table[room]?.users[user]?.contains(node) != true {
        deliveries += change(.presence(room: room, user: user, node: node, isHere: true))
      }
      return deliveries + reply(.entered, token: token, to: node)
    case .exit(let room, let user):
      guard table[room]?.users[user]?.contains(node) == true else { return [] }
      unconfirmed[node]?.presence.remove(Presence(room: room, user: user))
      return change(.presence(room: room, user: user, node: node, isHere: false))
    case .typing(let room, let user, let isTyping):
      guard table[room] != nil else { return [] }
      return [.everyone(.typing(room: room, user: user, isTyping: isTyping))]
    }
  }

  /// A process is gone. Its users stay for `rejoinGrace`, in case it or they come back.
  public mutating func disconnected(_ node: NodeID, now: Instant) {
    guard nodes.remove(node) != nil else { return }
    leaveUnconfirmed(node, now: now)
  }

  /// Lets users go whose process did not confirm them in time.
  public mutating func tick(now: Instant) -> [Delivery] {
    var deliveries: [Delivery] = []
    for (node, waiting) in unconfirmed where waiting.deadline <= now {
      unconfirmed[node] = nil
      for presence in waiting.presence {
        deliveries += change(.presence(room: presence.room, user: presence.user, node: node, isHere: false))
      }
    }
    return deliveries
  }

  private mutating func greet(_ node: NodeID, now: Instant) -> [Delivery] {
    nodes.insert(node)
    leaveUnconfirmed(node, now: now)
    return table.rooms.map { .one(node, .described(room: $0.key, $0.value)) } + [.one(node, .ready)]
  }

  private mutating func publish(_ draft: Draft, in room: RoomName) -> ([Delivery], BrokerReply)? {
    guard var deliveries = open(room), let log = table[room]?.log else { return nil }
    if let known = log.message(from: draft.sender, id: draft.id) {
      return (deliveries, .accepted(sequence: known.sequence, timestamp: known.timestamp, isDuplicate: true))
    }
    let message = ChatMessage(
      sequence: log.lastSequence + 1, sender: draft.sender, id: draft.id, text: draft.text, timestamp: draft.timestamp)
    deliveries += change(.message(room: room, message: message))
    return (deliveries, .accepted(sequence: message.sequence, timestamp: message.timestamp, isDuplicate: false))
  }

  /// Makes sure that a room exists; nil when there is no place for it.
  private mutating func open(_ room: RoomName) -> [Delivery]? {
    uses += 1
    lastUse[room] = uses
    guard table[room] == nil else { return [] }
    var deliveries: [Delivery] = []
    if table.rooms.count >= limits.rooms {
      guard let oldest = longestUnusedEmptyRoom() else {
        lastUse[room] = nil
        return nil
      }
      lastUse[oldest] = nil
      deliveries += change(.closed(room: oldest))
    }
    return deliveries + change(.opened(room: room, epoch: nextEpoch()))
  }

  private mutating func nextEpoch() -> String {
    livesBegun += 1
    return "\(life)-\(livesBegun)"
  }

  private func longestUnusedEmptyRoom() -> RoomName? {
    table.rooms.lazy.filter { $0.value.users.isEmpty }.map(\.key).min { lastUse[$0, default: 0] < lastUse[$1, default: 0] }
  }

  private mutating func change(_ change: RoomChange) -> [Delivery] {
    _ = table.apply(change, limits: limits)
    return [.everyone(.changed(change))]
  }

  private func reply(_ reply: BrokerReply, token: Int64, to node: NodeID) -> [Delivery] {
    token == 0 ? [] : [.one(node, .reply(token: token, reply))]
  }

  private mutating func leaveUnconfirmed(_ node: NodeID, now: Instant) {
    unconfirmed[node] = Unconfirmed(presence: table.presence(at: node), deadline: now + limits.rejoinGrace)
  }
}

/// Users of a process that has yet to say that they are still there.
private struct Unconfirmed: Sendable {
  var presence: Set<Presence>
  let deadline: Instant
}

private struct Draft {
  let sender: UserName
  let id: MessageID
  let text: MessageText
  let timestamp: Int64
}
