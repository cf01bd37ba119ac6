internal import EdgeCore

/// One connection, as the chat service sees it.
struct Member: Sendable {
  /// Where a connection stands with a room that it asked to join.
  enum Membership: Hashable, Sendable {
    /// The broker has yet to answer.
    case joining
    /// It gets what happens in the room.
    case joined
  }

  let user: UserName
  var rooms: [RoomName: Membership] = [:]
  var pendingCount = 0

  init(user: UserName) {
    self.user = user
  }
}

/// What this process keeps of a room that its own connections are in, or are joining.
struct LocalRoom: Sendable {
  /// The connections that get what happens in the room.
  var members: Set<MemberID> = []
  /// How many connections each user has in the room or on the way into it; never 0.
  var connections: [UserName: Int] = [:]
  /// How far the members have been told.
  var position: RoomPosition?
  /// When the broker was last told that a user types.
  var typingTold: [UserName: Instant] = [:]
}

/// A command that the broker has yet to answer; given again after every loss of the broker.
struct PendingRequest: Sendable {
  /// What the answer is for.
  enum Purpose: Hashable, Sendable {
    case join(position: RoomPosition?)
    case publish(id: MessageID?)
  }

  let member: MemberID
  let room: RoomName
  let purpose: Purpose
  let command: BrokerCommand
  let deadline: Instant

  var isJoin: Bool {
    switch purpose {
    case .join: true
    case .publish: false
    }
  }

  /// What the client called the message.
  var id: MessageID? {
    switch purpose {
    case .join: nil
    case .publish(let id): id
    }
  }
}

/// Whether commands reach the broker.
enum BrokerLink: Sendable {
  /// They do not; `description` collects the rooms that a leader describes.
  case offline(description: RoomTable)
  /// They do.
  case online
}
