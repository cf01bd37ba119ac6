internal import EdgeCore

extension BrokerEvent {
  /// The JSON that `parse` reads.
  var json: JSON {
    switch self {
    case .changed(.opened(let room, let epoch)):
      ["is": "opened", "room": .string(room.text), "epoch": .string(epoch)]
    case .changed(.closed(let room)):
      ["is": "closed", "room": .string(room.text)]
    case .changed(.message(let room, let message)):
      ["is": "message", "room": .string(room.text), "message": message.json]
    case .changed(.presence(let room, let user, let node, let isHere)):
      [
        "is": "presence", "room": .string(room.text), "user": .string(user.text), "node": .integer(node.rawValue),
        "here": .bool(isHere),
      ]
    case .typing(let room, let user, let isTyping):
      ["is": "typing", "room": .string(room.text), "user": .string(user.text), "typing": .bool(isTyping)]
    case .reply(let token, .accepted(let sequence, let timestamp, let isDuplicate)):
      [
        "is": "accepted", "token": .integer(token), "sequence": .integer(sequence), "timestamp": .integer(timestamp),
        "duplicate": .bool(isDuplicate),
      ]
    case .reply(let token, .entered):
      ["is": "entered", "token": .integer(token)]
    case .reply(let token, .roomsFull):
      ["is": "rooms_full", "token": .integer(token)]
    case .described(let name, let room):
      ["is": "described", "room": .string(name.text), "log": room.log.json, "users": room.usersJSON]
    case .ready:
      ["is": "ready"]
    case .farewell:
      ["is": "farewell"]
    }
  }

  /// Reads an event; nil for JSON that is none.
  static func parse(_ json: JSON) -> BrokerEvent? {
    switch json["is"]?.stringValue {
    case "opened":
      guard let room = json.room("room"), let epoch = json["epoch"]?.stringValue else { return nil }
      return .changed(.opened(room: room, epoch: epoch))
    case "closed":
      return json.room("room").map { .changed(.closed(room: $0)) }
    case "message":
      guard let room = json.room("room"), let message = json["message"].flatMap({ ChatMessage.parse($0) }) else { return nil }
      return .changed(.message(room: room, message: message))
    case "presence":
      guard let room = json.room("room"), let user = json.user("user"), let node = json.node("node"),
        let isHere = json["here"]?.boolValue
      else { return nil }
      return .changed(.presence(room: room, user: user, node: node, isHere: isHere))
    case "typing":
      guard let room = json.room("room"), let user = json.user("user"), let isTyping = json["typing"]?.boolValue else {
        return nil
      }
      return .typing(room: room, user: user, isTyping: isTyping)
    case "accepted":
      guard let token = json["token"]?.integerValue, let sequence = json["sequence"]?.integerValue,
        let timestamp = json["timestamp"]?.integerValue, let isDuplicate = json["duplicate"]?.boolValue
      else { return nil }
      return .reply(token: token, .accepted(sequence: sequence, timestamp: timestamp, isDuplicate: isDuplicate))
    case "entered":
      return json["token"]?.integerValue.map { .reply(token: $0, .entered) }
    case "rooms_full":
      return json["token"]?.integerValue.map { .reply(token: $0, .roomsFull) }
    case "described":
      guard let room = json.room("room"), let log = json["log"].flatMap({ RoomLog.parse($0) }),
        let users = json["users"].flatMap({ Room.parseUsers($0) })
      else { return nil }
      return .described(room: room, Room(log: log, users: users))
    case "ready":
      return .ready
    case "farewell":
      return .farewell
    default:
      return nil
    }
  }
}
