public import EdgeCore

/// One client's connection to this process, for as long as the process lives. Never reused.
public struct MemberID: Hashable, Comparable, Sendable {
  /// A number that the caller counts up.
  public let rawValue: UInt64

  /// Makes the identifier with this number.
  public init(rawValue: UInt64) {
    self.rawValue = rawValue
  }

  /// Orders by age.
  public static func < (lhs: MemberID, rhs: MemberID) -> Bool {
    lhs.rawValue < rhs.rawValue
  }
}

/// What the chat service wants done, in this order.
public enum ChatAction: Hashable, Sendable {
  /// Send one text message to each of these connections.
  case send([UInt8], to: [MemberID])
  /// Pass a command to the broker.
  case submit(BrokerCommand)
}

/// What a chat service has counted since it began.
public struct ChatCounters: Hashable, Sendable {
  /// Messages of clients that were no well-formed envelope.
  public internal(set) var malformed: UInt64 = 0
  /// Messages that clients of this process put into rooms, without those sent again.
  public internal(set) var published: UInt64 = 0
  /// Messages sent again, which had no second effect.
  public internal(set) var duplicates: UInt64 = 0
}

/// The chat of one process: its clients on one side, the broker on the other.
///
/// Rooms, history and presence come from the broker, so what a client sees does not depend on the process it is connected to.
/// A message is acknowledged when the broker has given it its number and told every process that keeps up.
///
/// State machine without input or output: envelopes, broker events and `now` in, actions out. Time only moves in `tick`.
public struct ChatService: Sendable {
  /// This process.
  public let node: NodeID
  /// All rooms as of the last broker event.
  public internal(set) var table = RoomTable()
  /// What was counted.
  public internal(set) var counters = ChatCounters()
  let limits: ChatLimits
  var members: [MemberID: Member] = [:]
  var localRooms: [RoomName: LocalRoom] = [:]
  var pending: [Int64: PendingRequest] = [:]
  var lastToken: Int64 = 0
  var brokerLink = BrokerLink.offline(description: RoomTable())
  var typing = TypingTable()

  /// Makes a service without members, whose broker is not ready yet.
  public init(node: NodeID, limits: ChatLimits = ChatLimits()) {
    self.node = node
    self.limits = limits
  }

  /// How many connections there are.
  public var memberCount: Int { members.count }

  /// A verified user has connected.
  public mutating func connected(_ member: MemberID, user: UserName) -> [ChatAction] {
    precondition(members[member] == nil, "a member connects once")
    members[member] = Member(user: user)
    return send(.welcome(user: user, limits: limits), to: [member])
  }

  /// A connection is gone: it leaves its rooms.
  public mutating func disconnected(_ member: MemberID) -> [ChatAction] {
    guard let rooms = members[member]?.rooms else { return [] }
    let actions = rooms.flatMap { leave($0.key, member: member) }
    members[member] = nil
    return actions
  }

  /// A connection sent a text message.
  public mutating func received(_ payload: Span<UInt8>, from member: MemberID, now: Instant) -> [ChatAction] {
    guard members[member] != nil else { return [] }
    do {
      return try perform(ClientRequest(payload: payload), for: member, now: now)
    } catch {
      return refuse(error, to: member)
    }
  }

  /// A connection sent a binary message, which is no envelope.
  public mutating func receivedBinary(from member: MemberID) -> [ChatAction] {
    refuse(EnvelopeError(.notText, message: "envelopes are sent as text messages"), to: member)
  }

  /// Time has passed; to be called every `tickInterval`.
  public mutating func tick(now: Instant) -> [ChatAction] {
    let overdue = pending.filter { $0.value.deadline <= now }.keys.sorted()
    return overdue.flatMap { expire($0) } + typing.expire(now: now).flatMap { tellTyping($0, isTyping: false) }
  }

  /// How often `tick` is to be called.
  public static let tickInterval = Duration.milliseconds(500)
}

extension ChatService {
  private mutating func perform(_ request: ClientRequest, for member: MemberID, now: Instant) throws(EnvelopeError)
    -> [ChatAction]
  {
    switch request {
    case .join(let room, let position): try join(room, position: position, member: member, now: now)
    case .leave(let room): leaveAsAsked(room, member: member)
    case .message(let room, let text, let id): try publish(text, id: id, in: room, member: member, now: now)
    case .typing(let room, let isTyping): try noteTyping(isTyping, in: room, member: member, now: now)
    }
  }

  private mutating func join(
    _ room: RoomName, position: RoomPosition?, member: MemberID, now: Instant
  ) throws(EnvelopeError) -> [ChatAction] {
    guard let user = members[member]?.user, let rooms = members[member]?.rooms else { return [] }
    switch rooms[room] {
    case .joined:
      return describe(room, to: [member], after: position)
    case .joining:
      return []
    case nil:
      guard rooms.count < limits.roomsPerMember else {
        throw EnvelopeError(.tooManyRooms, message: "at most \(limits.roomsPerMember) rooms", room: room)
      }
      let actions = try ask(.join(position: position), in: room, member: member, id: nil, now: now) { token in
        .enter(token: token, room: room, user: user)
      }
      members[member]?.rooms[room] = .joining
      localRooms[room, default: LocalRoom()].connections[user, default: 0] += 1
      return actions
    }
  }

  private mutating func leaveAsAsked(_ room: RoomName, member: MemberID) -> [ChatAction] {
    leave(room, member: member) + send(.left(room), to: [member])
  }

  private mutating func publish(
    _ text: MessageText, id: MessageID?, in room: RoomName, member: MemberID, now: Instant
  ) throws(EnvelopeError) -> [ChatAction] {
    guard let user = members[member]?.user else { return [] }
    try requireMembership(of: member, in: room, id: id)
    let node = node
    return try ask(.publish(id: id), in: room, member: member, id: id, now: now) { token in
      .publish(token: token, room: room, sender: user, id: id ?? MessageID(of: node, token: token), text: text, timestamp: nil)
    }
  }

  private mutating func noteTyping(
    _ isTyping: Bool, in room: RoomName, member: MemberID, now: Instant
  ) throws(EnvelopeError) -> [ChatAction] {
    guard let user = members[member]?.user else { return [] }
    try requireMembership(of: member, in: room, id: nil)
    let isRecent = localRooms[room]?.typingTold[user].map { now - $0 < limits.typingRefresh } ?? false
    guard !isTyping || !isRecent else { return [] }
    localRooms[room]?.typingTold[user] = isTyping ? now : nil
    return submit(.typing(room: room, user: user, isTyping: isTyping))
  }

  /// Takes a member out of a room, and the user with their last connection.
  mutating func leave(_ room: RoomName, member: MemberID) -> [ChatAction] {
    guard let user = members[member]?.user, members[member]?.rooms.removeValue(forKey: room) != nil else { return [] }
    if members[member]?.pendingCount ?? 0 > 0 {
      let joins = pending.filter { $0.value.member == member && $0.value.room == room && $0.value.isJoin }
      for token in joins.keys { takePending(token) }
    }
    localRooms[room]?.members.remove(member)
    let connections = localRooms[room]?.connections[user] ?? 0
    guard connections <= 1 else {
      localRooms[room]?.connections[user] = connections - 1
      return []
    }
    let wasTyping = localRooms[room]?.typingTold.removeValue(forKey: user) != nil
    localRooms[room]?.connections[user] = nil
    if localRooms[room]?.connections.isEmpty == true { localRooms[room] = nil }
    let stop = wasTyping ? submit(.typing(room: room, user: user, isTyping: false)) : []
    return stop + submit(.exit(room: room, user: user))
  }

  private func requireMembership(of member: MemberID, in room: RoomName, id: MessageID?) throws(EnvelopeError) {
    guard members[member]?.rooms[room] != nil else {
      throw EnvelopeError(.notJoined, field: "data.room", message: "join the room first", room: room, id: id)
    }
  }

  /// Gives the broker a command that it will answer, now or when it is ready.
  private mutating func ask(
    _ purpose: PendingRequest.Purpose, in room: RoomName, member: MemberID, id: MessageID?, now: Instant,
    command: (Int64) -> BrokerCommand
  ) throws(EnvelopeError) -> [ChatAction] {
    guard pending.count < limits.pendingTotal, members[member]?.pendingCount ?? 0 < limits.pendingPerMember else {
      throw EnvelopeError(.busy, message: "too many requests are waiting for their answers", room: room, id: id)
    }
    lastToken += 1
    let request = PendingRequest(
      member: member, room: room, purpose: purpose, command: command(lastToken), deadline: now + limits.pendingTimeout)
    pending[lastToken] = request
    members[member]?.pendingCount += 1
    return submit(request.command)
  }
}
