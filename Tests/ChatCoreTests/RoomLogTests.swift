import ChatCore
import EdgeCore
import Testing

@Suite struct `Room log` {
  let limits: ChatLimits = {
    var limits = ChatLimits()
    limits.retainedMessages = 5
    return limits
  }()

  @Test func `a newcomer gets the newest messages, oldest first`() throws {
    let log = try filled(4)
    #expect(log.catchUp(after: nil, historyMessages: 3).messages.map(\.sequence) == [2, 3, 4])
    #expect(log.catchUp(after: nil, historyMessages: 3).gap == nil)
  }

  @Test(arguments: [(0, [1, 2, 3, 4]), (2, [3, 4]), (4, [])] as [(Int64, [Int64])])
  func `someone who resumes gets exactly what was missed`(since: Int64, missed: [Int64]) throws {
    let catchUp = try filled(4).catchUp(after: RoomPosition(epoch: "a", sequence: since), historyMessages: 1)
    #expect(catchUp.messages.map(\.sequence) == missed)
    #expect(catchUp.gap == nil)
  }

  @Test func `messages that are no longer kept leave a gap`() throws {
    let catchUp = try filled(9).catchUp(after: RoomPosition(epoch: "a", sequence: 2), historyMessages: 1)
    #expect(catchUp.messages.map(\.sequence) == [5, 6, 7, 8, 9])
    #expect(catchUp.gap?.after == 2)
    #expect(catchUp.gap?.before == 5)
  }

  @Test(arguments: [RoomPosition(epoch: "other", sequence: 3), RoomPosition(epoch: "a", sequence: 99)])
  func `a position that this room never gave is answered with history behind a gap`(position: RoomPosition) throws {
    let catchUp = try filled(4).catchUp(after: position, historyMessages: 2)
    #expect(catchUp.messages.map(\.sequence) == [3, 4])
    #expect(catchUp.gap?.after == position.sequence)
    #expect(catchUp.gap?.before == 3)
  }

  @Test func `a position of an earlier life is recognised as far as that life is known`() throws {
    var log = try filled(3)
    log.beginLife(epoch: "b")
    try append(2, to: &log)
    #expect(log.catchUp(after: RoomPosition(epoch: "a", sequence: 2), historyMessages: 1).messages.map(\.sequence) == [3, 4, 5])
    let ahead = log.catchUp(after: RoomPosition(epoch: "a", sequence: 4), historyMessages: 1)
    #expect(ahead.messages.map(\.sequence) == [4, 5])
    #expect(ahead.gap == nil)
  }

  @Test func `only the last few lives are remembered`() throws {
    var log = try filled(1)
    for life in 1...5 { log.beginLife(epoch: "life \(life)") }
    #expect(log.earlierLives.map(\.epoch) == ["life 1", "life 2", "life 3", "life 4"])
    #expect(log.catchUp(after: RoomPosition(epoch: "a", sequence: 1), historyMessages: 1).gap != nil)
  }

  @Test func `a message sent again is found while it is kept, by sender and identifier`() throws {
    let log = try filled(9)
    let alice = try #require(UserName("alice"))
    let bob = try #require(UserName("bob"))
    let kept = try #require(MessageID("m7"))
    #expect(log.message(from: alice, id: kept)?.sequence == 7)
    #expect(log.message(from: bob, id: kept) == nil)
    #expect(log.message(from: alice, id: try #require(MessageID("m2"))) == nil)
  }

  @Test func `the oldest messages go when their bytes are too many, but never the newest`() throws {
    var limits = limits
    limits.retainedBytes = 1
    var log = RoomLog(epoch: "a")
    for sequence in 1...3 { #expect(log.append(try message(Int64(sequence)), limits: limits) == true) }
    #expect(log.messages.map(\.sequence) == [3])
  }

  @Test(arguments: [0, 4, 6, -1] as [Int64])
  func `a message out of order is refused`(sequence: Int64) throws {
    var log = try filled(4)
    #expect((log.append(try message(sequence), limits: limits)) == false)
    #expect(log.lastSequence == 4)
  }

  @Test func `what only the older copy knows is found, and nothing twice`() throws {
    let older = try filled(4)
    var newer = try filled(2)
    newer.beginLife(epoch: "b")
    #expect(older.messagesUnknown(to: newer).map(\.sequence) == [3, 4])
    #expect(older.messagesUnknown(to: older).isEmpty)
    #expect(older.messagesUnknown(to: nil).count == 4)
    #expect(older.messagesUnknown(to: RoomLog(epoch: "fresh")).count == 4)
    #expect(older.messagesUnknown(to: RoomLog(epoch: "long", lastSequence: 900)).isEmpty)
  }

  private func filled(_ count: Int) throws -> RoomLog {
    var log = RoomLog(epoch: "a")
    try append(count, to: &log)
    return log
  }

  private func append(_ count: Int, to log: inout RoomLog) throws {
    for _ in 0..<count { #expect(log.append(try message(log.lastSequence + 1), limits: limits) == true) }
  }

  private func message(_ sequence: Int64) throws -> ChatMessage {
    ChatMessage(
      sequence: sequence, sender: try #require(UserName("alice")), id: try #require(MessageID("m\(abs(sequence))")),
      text: try #require(MessageText("text \(sequence)")), timestamp: sequence)
  }
}
