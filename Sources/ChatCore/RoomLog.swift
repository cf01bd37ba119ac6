/// One message of a room, as it is kept and sent.
public struct ChatMessage: Hashable, Sendable {
  /// Its number in the room: 1, 2, 3…
  public let sequence: Int64
  /// Who sent it.
  public let sender: UserName
  /// What the sender calls it.
  public let id: MessageID
  /// What it says.
  public let text: MessageText
  /// When it was accepted, in milliseconds since 1970-01-01 UTC.
  public let timestamp: Int64

  /// Makes a message.
  public init(sequence: Int64, sender: UserName, id: MessageID, text: MessageText, timestamp: Int64) {
    self.sequence = sequence
    self.sender = sender
    self.id = id
    self.text = text
    self.timestamp = timestamp
  }
}

/// How far someone has read in a room: a sequence number, and the life of the room that gave it.
public struct RoomPosition: Hashable, Sendable {
  /// The room's life. Two lives with one epoch do not exist, so a number from a forgotten life is recognised.
  public let epoch: String
  /// The last message read; 0 before the first.
  public let sequence: Int64

  /// Makes a position.
  public init(epoch: String, sequence: Int64) {
    self.epoch = epoch
    self.sequence = sequence
  }
}

/// What a member missed.
public struct CatchUp: Hashable, Sendable {
  /// Messages that may be lost to the member.
  public struct Gap: Hashable, Sendable {
    /// The last message the member has.
    public let after: Int64
    /// The next message there is.
    public let before: Int64
  }

  /// The messages to send, oldest first.
  public let messages: [ChatMessage]
  /// What lies between the member's position and `messages`, if something does or may.
  public let gap: Gap?
}

/// The newest messages of a room and its lives. Numbers go on from one life to the next and have no holes.
public struct RoomLog: Hashable, Sendable {
  /// A life that ended without certainty that all its messages are known.
  public struct EarlierLife: Hashable, Sendable {
    /// Its epoch.
    public let epoch: String
    /// Its last message that is known.
    public let lastSequence: Int64

    /// Makes the record of a life.
    public init(epoch: String, lastSequence: Int64) {
      self.epoch = epoch
      self.lastSequence = lastSequence
    }
  }

  /// The current life.
  public private(set) var epoch: String
  /// Lives before it, oldest first; at most `maxEarlierLives`.
  public private(set) var earlierLives: [EarlierLife]
  /// The newest message's number; 0 before the first.
  public private(set) var lastSequence: Int64
  /// The messages that are kept, oldest first.
  public private(set) var messages: [ChatMessage] = []
  private var keptBytes = 0
  private var sequences: [MessageKey: Int64] = [:]

  /// Makes the log of a room that begins, or that begins to be known, after `lastSequence`.
  public init(epoch: String, earlierLives: [EarlierLife] = [], lastSequence: Int64 = 0) {
    self.epoch = epoch
    self.earlierLives = earlierLives.suffix(RoomLog.maxEarlierLives)
    self.lastSequence = lastSequence
  }

  /// Where the newest message is.
  public var position: RoomPosition { RoomPosition(epoch: epoch, sequence: lastSequence) }

  /// Adds the next message and forgets the oldest ones beyond `limits`.
  ///
  /// - Returns: false, with nothing changed, unless its number is the next one.
  public mutating func append(_ message: ChatMessage, limits: ChatLimits) -> Bool {
    guard message.sequence == lastSequence + 1 else { return false }
    lastSequence = message.sequence
    messages.append(message)
    keptBytes += cost(of: message)
    sequences[MessageKey(message)] = message.sequence
    var surplus = 0
    while messages.count - surplus > limits.retainedMessages || (keptBytes > limits.retainedBytes && messages.count - surplus > 1)
    {
      let oldest = messages[surplus]
      keptBytes -= cost(of: oldest)
      sequences[MessageKey(oldest)] = nil
      surplus += 1
    }
    messages.removeFirst(surplus)
    return true
  }

  /// The kept message that `sender` called `id`.
  public func message(from sender: UserName, id: MessageID) -> ChatMessage? {
    guard let sequence = sequences[MessageKey(sender: sender, id: id)], let first = messages.first?.sequence else { return nil }
    return messages[Int(sequence - first)]
  }

  /// Begins a new life, because messages after the last known one may exist elsewhere.
  public mutating func beginLife(epoch: String) {
    earlierLives.append(EarlierLife(epoch: self.epoch, lastSequence: lastSequence))
    if earlierLives.count > RoomLog.maxEarlierLives { earlierLives.removeFirst() }
    self.epoch = epoch
  }

  /// What someone at `position` missed; the newest `historyMessages` for someone without a position.
  public func catchUp(after position: RoomPosition?, historyMessages: Int) -> CatchUp {
    guard let position else { return CatchUp(messages: messages.suffix(historyMessages), gap: nil) }
    guard let known = lastCommonSequence(with: position) else {
      let newest = Array(messages.suffix(historyMessages))
      return CatchUp(messages: newest, gap: .init(after: position.sequence, before: newest.first?.sequence ?? lastSequence + 1))
    }
    let missed = messages.suffix(Int(clamping: lastSequence - known))
    let next = missed.first?.sequence ?? lastSequence + 1
    return CatchUp(messages: Array(missed), gap: next > known + 1 ? .init(after: known, before: next) : nil)
  }

  /// The messages of this log that `newer`, the log that replaces it, does not know.
  ///
  /// They are what a lost leader told this process and not the next leader.
  public func messagesUnknown(to newer: RoomLog?) -> ArraySlice<ChatMessage> {
    guard let newer else { return messages[...] }
    if let known = newer.lastCommonSequence(with: position) {
      return messages.suffix(Int(clamping: lastSequence - known))
    }
    let isWhole = newer.messages.count == newer.lastSequence
    return isWhole ? messages[...] : []
  }

  /// The last message that this log and someone at `position` are sure to share, or nil when the position's life is unknown.
  private func lastCommonSequence(with position: RoomPosition) -> Int64? {
    if position.epoch == epoch { return (0...lastSequence).contains(position.sequence) ? position.sequence : nil }
    guard position.sequence >= 0, let life = earlierLives.last(where: { $0.epoch == position.epoch }) else { return nil }
    return min(life.lastSequence, position.sequence)
  }

  /// How many earlier lives are remembered.
  public static let maxEarlierLives = 4
}

private struct MessageKey: Hashable {
  let sender: UserName
  let id: MessageID

  init(sender: UserName, id: MessageID) {
    self.sender = sender
    self.id = id
  }

  init(_ message: ChatMessage) {
    self.init(sender: message.sender, id: message.id)
  }
}

private func cost(of message: ChatMessage) -> Int {
  message.text.text.utf8.count + message.sender.text.utf8.count + message.id.text.utf8.count + fixedMessageCost
}

private let fixedMessageCost = 64
