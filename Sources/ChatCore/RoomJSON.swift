internal import EdgeCore

// The parts that commands and events of the embedded broker are made of, as JSON. Reading gives nil for what no process writes.

extension ChatMessage {
  /// The JSON that `parse` reads.
  var json: JSON {
    [
      "sequence": .integer(sequence), "sender": .string(sender.text), "id": .string(id.text), "text": .string(text.text),
      "timestamp": .integer(timestamp),
    ]
  }

  /// Reads a message.
  static func parse(_ json: JSON) -> ChatMessage? {
    guard let sequence = json["sequence"]?.integerValue, sequence > 0, let sender = json.user("sender"),
      let id = json.messageID("id"), let text = json.text("text"), let timestamp = json["timestamp"]?.integerValue
    else { return nil }
    return ChatMessage(sequence: sequence, sender: sender, id: id, text: text, timestamp: timestamp)
  }
}

extension RoomLog {
  /// The JSON that `parse` reads.
  var json: JSON {
    [
      "epoch": .string(epoch), "last": .integer(lastSequence), "messages": .array(messages.map(\.json)),
      "earlier": .array(earlierLives.map { ["epoch": .string($0.epoch), "last": .integer($0.lastSequence)] }),
    ]
  }

  /// Reads a log. It was already cut to the limits of the process that wrote it.
  static func parse(_ json: JSON) -> RoomLog? {
    guard let epoch = json["epoch"]?.stringValue, let last = json.sequence("last"),
      let messages = json["messages"]?.arrayValue, messages.count <= last, let earlier = json["earlier"]?.arrayValue
    else { return nil }
    var lives: [EarlierLife] = []
    for life in earlier {
      guard let epoch = life["epoch"]?.stringValue, let end = life.sequence("last"), end <= last else { return nil }
      lives.append(EarlierLife(epoch: epoch, lastSequence: end))
    }
    var log = RoomLog(epoch: epoch, earlierLives: lives, lastSequence: last - Int64(messages.count))
    for entry in messages {
      guard let message = ChatMessage.parse(entry), log.append(message, limits: .unbounded) else { return nil }
    }
    return log
  }
}

extension Room {
  /// The JSON of `users`.
  var usersJSON: JSON {
    .array(users.map { ["user": .string($0.text), "nodes": .array($1.map { .integer($0.rawValue) })] })
  }

  /// Reads what `usersJSON` writes.
  static func parseUsers(_ json: JSON) -> [UserName: Set<NodeID>]? {
    guard let entries = json.arrayValue else { return nil }
    var users: [UserName: Set<NodeID>] = [:]
    for entry in entries {
      guard let user = entry.user("user"), let nodes = entry["nodes"]?.arrayValue else { return nil }
      users[user] = Set(nodes.compactMap { $0.integerValue.flatMap { NodeID(rawValue: $0) } })
    }
    return users
  }
}

extension JSON {
  /// The well-formed room name in a member.
  func room(_ name: String) -> RoomName? { self[name]?.stringValue.flatMap { RoomName($0) } }

  /// The well-formed user name in a member.
  func user(_ name: String) -> UserName? { self[name]?.stringValue.flatMap { UserName($0) } }

  /// The well-formed message identifier in a member.
  func messageID(_ name: String) -> MessageID? { self[name]?.stringValue.flatMap { MessageID($0) } }

  /// The well-formed message text in a member.
  func text(_ name: String) -> MessageText? { self[name]?.stringValue.flatMap { MessageText($0) } }

  /// The message number in a member, or the 0 before the first; small enough to go on from for ever.
  func sequence(_ name: String) -> Int64? {
    self[name]?.integerValue.flatMap { (0...maxSequence).contains($0) ? $0 : nil }
  }

  /// The process in a member.
  func node(_ name: String) -> NodeID? { self[name]?.integerValue.flatMap { NodeID(rawValue: $0) } }
}

extension ChatLimits {
  /// Keeps everything.
  fileprivate static var unbounded: ChatLimits {
    var limits = ChatLimits()
    limits.retainedMessages = .max
    limits.retainedBytes = .max
    return limits
  }
}

/// What JavaScript counts exactly.
private let maxSequence: Int64 = 1 << 53
