/// What a chat process asks of the broker.
public enum BrokerCommand: Hashable, Sendable {
  /// The process takes part from now on. The first command on a connection.
  case hello(node: NodeID)
  /// Put a message into a room. Answered with a reply that bears `token`, unless that is 0.
  ///
  /// - `timestamp`: when an earlier leader accepted it, in milliseconds since 1970-01-01 UTC; nil for a new message.
  case publish(token: Int64, room: RoomName, sender: UserName, id: MessageID, text: MessageText, timestamp: Int64?)
  /// A user comes into a room at this process. Answered alike. Saying it twice is harmless.
  case enter(token: Int64, room: RoomName, user: UserName)
  /// A user's last connection at this process left the room.
  case exit(room: RoomName, user: UserName)
  /// A user types, or stopped.
  case typing(room: RoomName, user: UserName, isTyping: Bool)
}

/// What the broker tells a chat process. All processes get the changes in the same order.
public enum BrokerEvent: Hashable, Sendable {
  /// The rooms changed.
  case changed(RoomChange)
  /// A user types, or stopped. Not remembered by the broker.
  case typing(room: RoomName, user: UserName, isTyping: Bool)
  /// The answer to this process's own command. It follows the change that the command made.
  case reply(token: Int64, BrokerReply)
  /// One room of a description of all rooms, which follows a hello.
  case described(room: RoomName, Room)
  /// The description is complete: it replaces what the process knew. Commands are taken from now on.
  case ready
  /// The leader stops in an orderly way: every change it made was told before this.
  case farewell
}

/// The answer to a command that bears a token.
public enum BrokerReply: Hashable, Sendable {
  /// The message is in the room, perhaps since it was sent the first time.
  case accepted(sequence: Int64, timestamp: Int64, isDuplicate: Bool)
  /// The user is in the room.
  case entered
  /// There are too many rooms, and none is empty.
  case roomsFull
}

/// What gives the rooms of several chat processes one order.
///
/// It promises each process the same changes in the same order, and a reply after the change it speaks of. It may lose its
/// connection at any time; it then says `disconnected`, finds its way back by itself, describes all rooms, and says `ready`.
/// Commands given while it is not ready are dropped: the chat service gives them again.
public protocol Broker: AnyObject {
  /// Passes a command on; never blocks.
  func submit(_ command: BrokerCommand)
}

/// Who listens to a broker.
public protocol BrokerListener: AnyObject {
  /// Something happened; called in order, and never from within `submit`.
  func brokerDelivered(_ event: BrokerEvent)
  /// The connection is lost; nothing more is delivered before the next description.
  func brokerDisconnected()
}
