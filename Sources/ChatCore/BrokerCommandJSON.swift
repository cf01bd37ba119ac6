internal import EdgeCore

extension BrokerCommand {
  /// The JSON that `parse` reads.
  var json: JSON {
    switch self {
    case .hello(let node):
      ["is": "hello", "node": .integer(node.rawValue)]
    case .publish(let token, let room, let sender, let id, let text, let timestamp):
      [
        "is": "publish", "token": .integer(token), "room": .string(room.text), "sender": .string(sender.text),
        "id": .string(id.text), "text": .string(text.text), "timestamp": timestamp.map { .integer($0) } ?? .null,
      ]
    case .enter(let token, let room, let user):
      ["is": "enter", "token": .integer(token), "room": .string(room.text), "user": .string(user.text)]
    case .exit(let room, let user):
      ["is": "exit", "room": .string(room.text), "user": .string(user.text)]
    case .typing(let room, let user, let isTyping):
      ["is": "typing", "room": .string(room.text), "user": .string(user.text), "typing": .bool(isTyping)]
    }
  }

  /// Reads a command; nil for JSON that is none.
  static func parse(_ json: JSON) -> BrokerCommand? {
    switch json["is"]?.stringValue {
    case "hello":
      return json.node("node").map { .hello(node: $0) }
    case "publish":
      guard let token = json["token"]?.integerValue, let room = json.room("room"), let sender = json.user("sender"),
        let id = json.messageID("id"), let text = json.text("text")
      else { return nil }
      return .publish(token: token, room: room, sender: sender, id: id, text: text, timestamp: json["timestamp"]?.integerValue)
    case "enter":
      guard let token = json["token"]?.integerValue, let room = json.room("room"), let user = json.user("user") else {
        return nil
      }
      return .enter(token: token, room: room, user: user)
    case "exit":
      guard let room = json.room("room"), let user = json.user("user") else { return nil }
      return .exit(room: room, user: user)
    case "typing":
      guard let room = json.room("room"), let user = json.user("user"), let isTyping = json["typing"]?.boolValue else {
        return nil
      }
      return .typing(room: room, user: user, isTyping: isTyping)
    default:
      return nil
    }
  }
}
