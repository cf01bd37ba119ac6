/// What bounds the memory and the work of a chat service. Each value is a maximum.
public struct ChatLimits: Sendable, Equatable {
  /// Messages that a member gets when joining a room without a position to resume from.
  public var historyMessages = 100
  /// Messages that each room keeps to resume from and to recognise a message sent again.
  public var retainedMessages = 500
  /// The size of those messages, in bytes of text and names.
  public var retainedBytes = 128 * 1024
  /// Rooms that exist at a time; an empty one makes place for a new one.
  public var rooms = 1_000
  /// Rooms that one connection is in.
  public var roomsPerMember = 50
  /// Requests of one connection that wait for the broker.
  public var pendingPerMember = 64
  /// Requests of all connections that wait for the broker.
  public var pendingTotal = 10_000
  /// How long a request waits for the broker before it is answered with an error.
  public var pendingTimeout = Duration.seconds(10)
  /// How long somebody types without saying so again.
  public var typingExpiry = Duration.seconds(6)
  /// How often at most one user's typing in a room is told to the broker.
  public var typingRefresh = Duration.seconds(2)
  /// How long the users of a lost process are still shown, so that they can come back unnoticed.
  public var rejoinGrace = Duration.seconds(2)
  /// Users named when a member joins; all are counted.
  public var listedUsers = 500

  /// The values above.
  public init() {}
}
