/// A change that every process applies in the same order, so that all of them hold the same rooms.
public enum RoomChange: Hashable, Sendable {
  /// A room begins.
  case opened(room: RoomName, epoch: String)
  /// An empty room is forgotten.
  case closed(room: RoomName)
  /// A room has a new message.
  case message(room: RoomName, message: ChatMessage)
  /// A user came into a room at a process, or left it there.
  case presence(room: RoomName, user: UserName, node: NodeID, isHere: Bool)
}

/// One room: what was said, and who is here.
public struct Room: Hashable, Sendable {
  /// What was said.
  public internal(set) var log: RoomLog
  /// Who is here, and through which processes; never an empty set.
  public internal(set) var users: [UserName: Set<NodeID>]

  /// Makes a room.
  public init(log: RoomLog, users: [UserName: Set<NodeID>] = [:]) {
    self.log = log
    self.users = users.filter { !$0.value.isEmpty }
  }
}

/// All rooms, as one process knows them.
public struct RoomTable: Hashable, Sendable {
  /// What a change did to a table.
  public enum Effect: Hashable, Sendable {
    /// Nothing that a member would notice.
    case none
    /// The room began.
    case opened
    /// The message was added.
    case appended
    /// The user came, where no process had them before, or left the last process that had them.
    case presence(isHere: Bool)
  }

  /// The rooms by name.
  public private(set) var rooms: [RoomName: Room] = [:]

  /// Makes a table without rooms.
  public init() {}

  /// The room of that name.
  public subscript(name: RoomName) -> Room? { rooms[name] }

  /// Applies one change. A change that does not fit, such as a message out of order, has no effect.
  public mutating func apply(_ change: RoomChange, limits: ChatLimits) -> Effect {
    switch change {
    case .opened(let room, let epoch):
      guard rooms[room] == nil else { return .none }
      rooms[room] = Room(log: RoomLog(epoch: epoch))
      return .opened
    case .closed(let room):
      rooms[room] = nil
      return .none
    case .message(let room, let message):
      return rooms[room]?.log.append(message, limits: limits) == true ? .appended : .none
    case .presence(let room, let user, let node, isHere: true):
      guard rooms[room] != nil else { return .none }
      let isNew = rooms[room]?.users[user] == nil
      rooms[room]?.users[user, default: []].insert(node)
      return isNew ? .presence(isHere: true) : .none
    case .presence(let room, let user, let node, isHere: false):
      guard rooms[room]?.users[user]?.remove(node) != nil, rooms[room]?.users[user]?.isEmpty == true else { return .none }
      rooms[room]?.users[user] = nil
      return .presence(isHere: false)
    }
  }

  /// Puts a whole room in place, as a leader describes it.
  public mutating func replace(_ name: RoomName, with room: Room) {
    rooms[name] = room
  }

  /// Begins a new life in a room; see `RoomLog.beginLife(epoch:)`.
  mutating func beginLife(in name: RoomName, epoch: String) {
    rooms[name]?.log.beginLife(epoch: epoch)
  }

  /// Who is in which room through the process `node`.
  func presence(at node: NodeID) -> Set<Presence> {
    var found: Set<Presence> = []
    for (name, room) in rooms {
      for (user, nodes) in room.users where nodes.contains(node) {
        found.insert(Presence(room: name, user: user))
      }
    }
    return found
  }

  /// All processes through which somebody is in a room.
  var nodes: Set<NodeID> {
    rooms.values.reduce(into: []) { all, room in
      for nodes in room.users.values { all.formUnion(nodes) }
    }
  }
}

/// A user in a room.
struct Presence: Hashable, Sendable {
  let room: RoomName
  let user: UserName
}
