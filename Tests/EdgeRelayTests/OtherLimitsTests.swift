import EdgeCore
import EdgePolicy
import EdgeRelay
import EdgeWebSocket
import Testing

@Suite struct `Other limits for a connection that goes on` {
  @Test func `hold for the next message, whatever has begun`() {
    var small = RelayLimits.relaxed
    small.maxMessageBytes = 3
    small.checksUTF8 = false
    let talk = Talk(after: [.client(text("hello")), .limitsChange(small), .client(masked(1, [0xff])), .client(text("hello"))])
    #expect(talk.messagesFromClient.count == 2)
    #expect(talk.errors == [.messageTooBig])
  }

  @Test func `move the timers that run`() {
    var hasty = RelayLimits.relaxed
    hasty.pingInterval = .seconds(5)
    let talk = Talk(after: [.wait(.seconds(10)), .limitsChange(hasty), .wait(.zero)])
    #expect(talk.nonces.count == 1)
    hasty.idleTimeout = .seconds(8)
    talk.happens(.limitsChange(hasty))
    talk.happens(.wait(.zero))
    #expect(talk.ending?.code == .goingAway)
  }

  @Test func `leave an end that has begun as it is`() {
    var hasty = RelayLimits.relaxed
    hasty.closeTimeout = .milliseconds(1)
    let talk = Talk(after: [.edgeCloses(.goingAway, "drain"), .limitsChange(hasty), .wait(.milliseconds(10))])
    #expect(!talk.isClientFinished)
  }

  @Test func `let a message pass that waited, and forget nothing of what was used`() {
    let hourly = perSecond(1, per: .seconds(3600), burst: 2, over: .delay)
    let talk = Talk(scopes: hourly)
    talk.happens(.client(text("a") + text("b") + text("c")))
    #expect(talk.clientWaits)
    talk.happens(.limitsChange(.relaxed, perSecond(1, per: .seconds(3600), burst: 3, over: .drop)))
    talk.happens(.client(text("d")))
    #expect(talk.workerHeard == [.text("a"), .text("b"), .text("c")])
    talk.happens(.limitsChange(.relaxed))
    talk.happens(.client(text("e")))
    #expect(talk.workerHeard.last == .text("e"))
    #expect(!talk.clientWaits)
  }

  @Test func `leave the throttles of rules in force`() {
    let rule = MessageLimits(messages: limit(1, per: .seconds(1000), burst: 1))
    let talk = Talk(after: [
      .ruleHolds(rule), .limitsChange(.relaxed, perSecond(9, burst: 9, over: .drop)), .client(text("a") + text("b")),
    ])
    #expect(talk.clientWaits)
    #expect(talk.workerHeard == [.text("a")])
  }

  @Test func `begin and end notices`() {
    var told = RelayLimits.relaxed
    told.givesNotice = true
    let talk = Talk(after: [.edgeTells(.renewed(expiresIn: .seconds(9))), .limitsChange(told)])
    #expect(talk.clientHeard == [])
    talk.happens(.edgeTells(.refused(word: "expired")))
    #expect(talk.clientHeard.count == 1)
    talk.happens(.limitsChange(.relaxed))
    talk.happens(.edgeTells(.refused(word: "expired")))
    #expect(talk.clientHeard.count == 1)
  }
}
