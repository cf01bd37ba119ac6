public import EdgeCore

extension ChatService {
  /// The broker told something.
  public mutating func received(_ event: BrokerEvent, now: Instant) -> [ChatAction] {
    switch event {
    case .changed(let change):
      return apply(change)
    case .typing(let room, let user, isTyping: true):
      let presence = Presence(room: room, user: user)
      guard localRooms[room] != nil, typing.began(presence, until: now + limits.typingExpiry) else { return [] }
      return tellTyping(presence, isTyping: true)
    case .typing(let room, let user, isTyping: false):
      return stopTyping(Presence(room: room, user: user))
    case .reply(let token, let reply):
      return answer(token, with: reply)
    case .described(let name, let room):
      guard case .offline(var description) = brokerLink else { return [] }
      description.replace(name, with: room)
      brokerLink = .offline(description: description)
      return []
    case .ready:
      return brokerBecameReady()
    case .farewell:
      return []
    }
  }

  /// The broker is out of reach; requests wait until it is ready again.
  public mutating func brokerDisconnected() {
    brokerLink = .offline(description: RoomTable())
  }

  /// Describes a room to connections that are in it: who is here, and the messages after `position`.
  func describe(_ name: RoomName, to members: [MemberID], after position: RoomPosition?) -> [ChatAction] {
    guard let room = table[name] else { return [] }
    let catchUp = room.log.catchUp(after: position, historyMessages: limits.historyMessages)
    return send(
      .joined(name, room: room, catchUp: catchUp, isResumed: position != nil, listedUsers: limits.listedUsers), to: members)
  }

  /// Tells a room's members that a user types, or stopped.
  func tellTyping(_ presence: Presence, isTyping: Bool) -> [ChatAction] {
    let others = members(of: presence.room).filter { members[$0]?.user != presence.user }
    return send(.typing(presence.room, presence.user, isTyping: isTyping), to: others)
  }

  /// Answers a request that was not done.
  mutating func refuse(_ error: EnvelopeError, to member: MemberID) -> [ChatAction] {
    if error.isMalformed { counters.malformed += 1 }
    return send(.error(error), to: [member])
  }

  /// Answers a request whose time is over.
  mutating func expire(_ token: Int64) -> [ChatAction] {
    guard let request = takePending(token) else { return [] }
    let error = EnvelopeError(
      .unavailable, message: "no answer in time; sending it again is safe", room: request.room, id: request.id)
    let leaving = request.isJoin ? leave(request.room, member: request.member) : []
    return leaving + refuse(error, to: request.member)
  }

  /// Takes a request out of those that wait.
  @discardableResult
  mutating func takePending(_ token: Int64) -> PendingRequest? {
    guard let request = pending.removeValue(forKey: token) else { return nil }
    members[request.member]?.pendingCount -= 1
    return request
  }

  /// The actions that pass a command on; none while the broker would drop it.
  func submit(_ command: BrokerCommand) -> [ChatAction] {
    switch brokerLink {
    case .online: [.submit(command)]
    case .offline: []
    }
  }

  /// The actions that send one envelope to some connections.
  func send(_ envelope: ServerEnvelope, to receivers: [MemberID]) -> [ChatAction] {
    receivers.isEmpty ? [] : [.send(envelope.encoded(), to: receivers)]
  }
}

extension ChatService {
  private mutating func apply(_ change: RoomChange) -> [ChatAction] {
    let effect = table.apply(change, limits: limits)
    switch (change, effect) {
    case (.opened(let room, _), .opened):
      return catchUpMembers(of: room)
    case (.message(let room, let message), .appended):
      guard let epoch = table[room]?.log.epoch, localRooms[room] != nil else { return [] }
      localRooms[room]?.position = RoomPosition(epoch: epoch, sequence: message.sequence)
      localRooms[room]?.typingTold[message.sender] = nil
      return stopTyping(Presence(room: room, user: message.sender))
        + send(.message(room, epoch: epoch, message), to: members(of: room))
    case (.presence(let room, let user, _, _), .presence(let isHere)):
      let stopped = isHere ? [] : stopTyping(Presence(room: room, user: user))
      return stopped + send(.presence(room, user, isHere: isHere), to: members(of: room))
    case (.closed, _), (.opened, _), (.message, _), (.presence, _):
      return []
    }
  }

  private mutating func answer(_ token: Int64, with reply: BrokerReply) -> [ChatAction] {
    guard let request = takePending(token) else { return [] }
    switch (request.purpose, reply) {
    case (.publish(let id), .accepted(let sequence, let timestamp, let isDuplicate)):
      if isDuplicate { counters.duplicates += 1 } else { counters.published += 1 }
      let ack = ServerEnvelope.ack(request.room, id: id, sequence: sequence, timestamp: timestamp, isDuplicate: isDuplicate)
      return send(ack, to: members[request.member] == nil ? [] : [request.member])
    case (.join(let position), .entered):
      guard members[request.member]?.rooms[request.room] == .joining else { return [] }
      members[request.member]?.rooms[request.room] = .joined
      localRooms[request.room]?.members.insert(request.member)
      localRooms[request.room]?.position = table[request.room]?.log.position
      return describe(request.room, to: [request.member], after: position)
    case (_, .roomsFull):
      let error = EnvelopeError(.roomsFull, message: "no place for another room", room: request.room, id: request.id)
      let leaving = request.isJoin ? leave(request.room, member: request.member) : []
      return leaving + refuse(error, to: request.member)
    case (.publish, .entered), (.join, .accepted):
      return []
    }
  }

  /// Takes over what the leader described, and gives it what this process alone knows: its users, messages that died with the
  /// last leader, and the requests that wait.
  private mutating func brokerBecameReady() -> [ChatAction] {
    guard case .offline(let described) = brokerLink else { return [] }
    let before = table
    table = described
    brokerLink = .online
    var actions = localRooms.keys.flatMap { table[$0] == before[$0] ? [] : catchUpMembers(of: $0) }
    for (room, local) in localRooms {
      for user in local.connections.keys { actions += submit(.enter(token: 0, room: room, user: user)) }
    }
    for (name, room) in before.rooms {
      for message in room.log.messagesUnknown(to: described[name]?.log) {
        actions += submit(
          .publish(
            token: 0, room: name, sender: message.sender, id: message.id, text: message.text, timestamp: message.timestamp))
      }
    }
    for (_, request) in pending.sorted(by: { $0.key < $1.key }) { actions += submit(request.command) }
    return actions
  }

  /// Tells the members of a room what they missed, because its log did not grow message by message.
  private mutating func catchUpMembers(of name: RoomName) -> [ChatAction] {
    guard let local = localRooms[name], let room = table[name] else { return [] }
    localRooms[name]?.position = room.log.position
    return describe(name, to: local.members.sorted(), after: local.position)
  }

  private mutating func stopTyping(_ presence: Presence) -> [ChatAction] {
    typing.stopped(presence) ? tellTyping(presence, isTyping: false) : []
  }

  private func members(of room: RoomName) -> [MemberID] {
    localRooms[room].map { Array($0.members) } ?? []
  }
}
