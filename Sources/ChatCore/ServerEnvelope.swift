internal import EdgeCore

/// What a client is told, as an envelope `{"type":…,"data":{…}}`.
enum ServerEnvelope {
  /// Who the connection speaks as, and what it may send. The first message.
  case welcome(user: UserName, limits: ChatLimits)
  /// The connection is in a room. Said again when the room begins a new life.
  case joined(RoomName, room: Room, catchUp: CatchUp, isResumed: Bool, listedUsers: Int)
  /// The connection left a room.
  case left(RoomName)
  /// Somebody said something.
  case message(RoomName, epoch: String, ChatMessage)
  /// The connection's own message is in the room.
  case ack(RoomName, id: MessageID?, sequence: Int64, timestamp: Int64, isDuplicate: Bool)
  /// Somebody came, or went.
  case presence(RoomName, UserName, isHere: Bool)
  /// Somebody types, or stopped.
  case typing(RoomName, UserName, isTyping: Bool)
  /// A request was not done.
  case error(EnvelopeError)

  /// The JSON text to send as one text message.
  func encoded() -> [UInt8] {
    let envelope: JSON = ["type": .string(type), "data": data]
    return envelope.encoded()
  }

  private var type: String {
    switch self {
    case .welcome: "welcome"
    case .joined: "joined"
    case .left: "left"
    case .message: "message"
    case .ack: "ack"
    case .presence: "presence"
    case .typing: "typing"
    case .error: "error"
    }
  }

  private var data: JSON {
    switch self {
    case .welcome(let user, let limits):
      [
        "senderId": .string(user.text), "maxTextBytes": .integer(Int64(MessageText.maxBytes)),
        "maxRooms": .integer(Int64(limits.roomsPerMember)),
      ]
    case .joined(let name, let room, let catchUp, let isResumed, let listedUsers):
      [
        "room": .string(name.text), "epoch": .string(room.log.epoch), "sequence": .integer(room.log.lastSequence),
        "resumed": .bool(isResumed), "userCount": .integer(Int64(room.users.count)),
        "users": .array(room.users.keys.map(\.text).sorted().prefix(listedUsers).map { .string($0) }),
        "gap": catchUp.gap.map { ["after": .integer($0.after), "before": .integer($0.before)] } ?? .null,
        "messages": .array(catchUp.messages.map { describe($0, in: name) }),
      ]
    case .left(let name):
      ["room": .string(name.text)]
    case .message(let name, let epoch, let message):
      describe(message, in: name, epoch: epoch)
    case .ack(let name, let id, let sequence, let timestamp, let isDuplicate):
      [
        "room": .string(name.text), "id": id.map { .string($0.text) } ?? .null, "sequence": .integer(sequence),
        "timestamp": .integer(timestamp), "duplicate": .bool(isDuplicate),
      ]
    case .presence(let name, let user, let isHere):
      ["room": .string(name.text), "senderId": .string(user.text), "online": .bool(isHere)]
    case .typing(let name, let user, let isTyping):
      ["room": .string(name.text), "senderId": .string(user.text), "active": .bool(isTyping)]
    case .error(let error):
      [
        "code": .string(error.code.rawValue), "field": error.field.map { .string($0) } ?? .null,
        "message": .string(error.message), "room": error.room.map { .string($0.text) } ?? .null,
        "id": error.id.map { .string($0.text) } ?? .null,
      ]
    }
  }
}

private func describe(_ message: ChatMessage, in room: RoomName, epoch: String? = nil) -> JSON {
  var members = [
    JSON.Member(name: "room", value: .string(room.text)),
    JSON.Member(name: "senderId", value: .string(message.sender.text)),
    JSON.Member(name: "text", value: .string(message.text.text)),
    JSON.Member(name: "timestamp", value: .integer(message.timestamp)),
    JSON.Member(name: "sequence", value: .integer(message.sequence)),
    JSON.Member(name: "id", value: .string(message.id.text)),
  ]
  if let epoch { members.append(JSON.Member(name: "epoch", value: .string(epoch))) }
  return .object(members)
}
