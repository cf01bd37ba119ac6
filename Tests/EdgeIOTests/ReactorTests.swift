import EdgeCore
import EdgeIO
import Glibc
import Testing

@Suite struct `Reactor events` {
  @Test func `readiness is told once, and again after more bytes`() throws {
    let reactor = try Reactor()
    let pair = try Socket.pair()
    let source = RecordingSource()
    try reactor.add(source, descriptor: pair.first.descriptor, interest: .readable)
    #expect(pair.second.send("a") == .bytes(1))
    reactor.run(until: { !source.readiness.isEmpty })
    reactor.runTurn()
    #expect(source.readiness == [.readable])
    #expect(pair.second.send("b") == .bytes(1))
    reactor.run(until: { source.readiness.count == 2 })
    reactor.removeAll()
  }

  @Test func `bytes that came before the source was added are told`() throws {
    let reactor = try Reactor()
    let pair = try Socket.pair()
    #expect(pair.second.send("a") == .bytes(1))
    let source = RecordingSource()
    try reactor.add(source, descriptor: pair.first.descriptor, interest: .readable)
    reactor.run(until: { source.readiness == [.readable] })
    reactor.removeAll()
  }

  @Test func `the peer's end is told with the readiness`() throws {
    let reactor = try Reactor()
    let pair = try Socket.pair()
    let source = RecordingSource()
    try reactor.add(source, descriptor: pair.first.descriptor, interest: .readable)
    pair.second.shutdownWrite()
    reactor.run(until: { source.readiness == [[.readable, .peerClosed]] })
    reactor.removeAll()
  }

  @Test func `room to write is told only when it is asked for`() throws {
    let reactor = try Reactor()
    let pair = try Socket.pair()
    let source = RecordingSource()
    try reactor.add(source, descriptor: pair.first.descriptor, interest: .readable)
    reactor.runTurn()
    #expect(source.readiness == [])
    reactor.modify(source, interest: [.readable, .writable])
    reactor.run(until: { source.readiness == [.writable] })
    reactor.removeAll()
  }

  @Test func `a level-triggered source is told in every turn`() throws {
    let reactor = try Reactor()
    let pair = try Socket.pair()
    let source = RecordingSource()
    try reactor.add(source, descriptor: pair.first.descriptor, interest: [.readable, .levelTriggered])
    #expect(pair.second.send("a") == .bytes(1))
    for _ in 0..<3 { reactor.runTurn() }
    #expect(source.readiness.count == 3)
    reactor.removeAll()
  }

  @Test func `a descriptor that epoll cannot watch is refused, and the source is not added`() throws {
    let reactor = try Reactor()
    let source = RecordingSource()
    let file = open("/etc/passwd", O_RDONLY)
    defer { close(file) }
    #expect(errno { try reactor.add(source, descriptor: file, interest: .readable) } == EPERM)
    #expect(!source.isAdded)
    #expect(reactor.sourceCount == 0)
  }
}

@Suite struct `Reactor removal` {
  @Test func `a source removed in the middle of a batch hears nothing of it`() throws {
    let reactor = try Reactor()
    let firstPair = try Socket.pair()
    let secondPair = try Socket.pair()
    let (first, second) = (RecordingSource(), RecordingSource())
    first.onReady = { reactor.remove(second) }
    second.onReady = { reactor.remove(first) }
    try reactor.add(first, descriptor: firstPair.first.descriptor, interest: .readable)
    try reactor.add(second, descriptor: secondPair.first.descriptor, interest: .readable)
    #expect(firstPair.second.send("a") == .bytes(1))
    #expect(secondPair.second.send("a") == .bytes(1))
    for _ in 0..<3 { reactor.runTurn() }
    #expect(first.readiness.count + second.readiness.count == 1)
    #expect(reactor.sourceCount == 1)
    reactor.release([first, second])
  }

  @Test func `a source that takes over a slot hears nothing of its predecessor's events`() throws {
    let reactor = try Reactor()
    let firstPair = try Socket.pair()
    let secondPair = try Socket.pair()
    let heirPair = try Socket.pair()
    let (first, second, heir) = (RecordingSource(), RecordingSource(), RecordingSource())
    let heirDescriptor = heirPair.first.descriptor
    let replace = { (victim: RecordingSource) in
      reactor.remove(victim)
      #expect(throws: Never.self) {
        try reactor.add(heir, descriptor: heirDescriptor, interest: .readable)
      }
      reactor.setTimer(heir, at: .distantFuture)
    }
    first.onReady = { replace(second) }
    second.onReady = { replace(first) }
    for source in [first, second] {
      source.onTimer = { Issue.record("a removed source has no timer") }
      source.onTurn = { Issue.record("a removed source has no deferred work") }
    }
    try reactor.add(first, descriptor: firstPair.first.descriptor, interest: .readable)
    try reactor.add(second, descriptor: secondPair.first.descriptor, interest: .readable)
    #expect(firstPair.second.send("a") == .bytes(1))
    #expect(secondPair.second.send("a") == .bytes(1))
    for _ in 0..<3 { reactor.runTurn() }
    #expect(heir.readiness == [])
    #expect(heirPair.second.send("a") == .bytes(1))
    reactor.run(until: { heir.readiness == [.readable] })
    reactor.release([first, second, heir])
  }

  @Test func `closing the descriptor of a source that is removed ends the watch, and its number may serve again`() throws {
    let reactor = try Reactor()
    let (first, heir) = (RecordingSource(), RecordingSource())
    let firstPair = try Socket.pair()
    let number = firstPair.first.descriptor
    try reactor.add(first, descriptor: number, interest: .readable)
    #expect(firstPair.second.send("a") == .bytes(1))
    reactor.remove(first, closing: true)
    _ = consume firstPair
    let heirPair = try Socket.pair()
    try reactor.add(heir, descriptor: heirPair.first.descriptor, interest: .readable)
    #expect(heirPair.second.send("a") == .bytes(1))
    reactor.run(until: { heir.readiness == [.readable] })
    #expect(first.readiness == [])
    reactor.release([heir])
  }

  @Test func `a removed source's timer and deferred work vanish, whoever has its slot`() throws {
    let reactor = try Reactor()
    let (first, heir) = (RecordingSource(), RecordingSource())
    reactor.add(first)
    reactor.setTimer(first, at: reactor.now)
    reactor.runLater(first)
    reactor.remove(first)
    reactor.add(heir)
    reactor.runTurn(until: reactor.now + .milliseconds(5))
    reactor.runTurn(until: reactor.now + .milliseconds(5))
    #expect(first.turns + heir.turns + first.firedAt.count + heir.firedAt.count == 0)
    reactor.runLater(first)
    reactor.cancelTimer(first)
    reactor.remove(first)
    reactor.removeAll()
  }

  @Test func `a source removed by an earlier timer of the same turn does not fire`() throws {
    let reactor = try Reactor()
    let (first, second) = (RecordingSource(), RecordingSource())
    reactor.add(first)
    reactor.add(second)
    reactor.setTimer(first, at: reactor.now)
    reactor.setTimer(second, at: reactor.now)
    first.onTimer = { reactor.remove(second) }
    second.onTimer = { reactor.remove(first) }
    reactor.run(until: { reactor.sourceCount == 1 })
    #expect(first.firedAt.count + second.firedAt.count == 1)
    reactor.release([first, second])
  }

  @Test func `the reactor holds a source until it is removed`() throws {
    let reactor = try Reactor()
    weak var held: RecordingSource?
    do {
      let source = RecordingSource()
      held = source
      reactor.add(source)
      reactor.runLater(source)
      source.onTurn = { [unowned source] in reactor.remove(source) }
    }
    #expect(held != nil)
    reactor.runTurn()
    #expect(held == nil)
  }

  @Test func `the end of a run removes every source`() throws {
    let reactor = try Reactor()
    weak var held: RecordingSource?
    do {
      let source = RecordingSource()
      held = source
      reactor.add(source)
      reactor.setTimer(source, at: reactor.now + .milliseconds(2))
      source.onTimer = { reactor.stop() }
    }
    reactor.run()
    #expect(held == nil)
    #expect(reactor.sourceCount == 0)
  }
}

@Suite struct `Reactor deferred work` {
  @Test func `each source has one turn, in the order asked`() throws {
    let reactor = try Reactor()
    let sources = (0..<3).map { _ in RecordingSource() }
    var order: [Int] = []
    for (index, source) in sources.enumerated() {
      reactor.add(source)
      source.onTurn = { order.append(index) }
    }
    for index in [2, 0, 2, 1, 0] { reactor.runLater(sources[index]) }
    reactor.runTurn(until: .distantFuture)
    #expect(order == [2, 0, 1])
    reactor.release(sources)
  }

  @Test func `a source that always wants more lets others be served in between`() throws {
    let reactor = try Reactor()
    let pair = try Socket.pair()
    let (greedy, modest) = (RecordingSource(), RecordingSource())
    reactor.add(greedy)
    try reactor.add(modest, descriptor: pair.first.descriptor, interest: .readable)
    greedy.onTurn = { reactor.runLater(greedy) }
    reactor.runLater(greedy)
    #expect(pair.second.send("a") == .bytes(1))
    for _ in 0..<5 { reactor.runTurn(until: .distantFuture) }
    #expect(greedy.turns == 5)
    #expect(modest.readiness == [.readable])
    reactor.release([greedy, modest])
  }

  @Test func `what an event or a timer asks for runs in the same turn`() throws {
    let reactor = try Reactor()
    let source = RecordingSource()
    reactor.add(source)
    source.onTimer = { reactor.runLater(source) }
    reactor.setTimer(source, at: reactor.now)
    reactor.run(until: { !source.firedAt.isEmpty })
    #expect(source.turns == 1)
    reactor.release([source])
  }
}

@Suite struct `Reactor turns behind events` {
  @Test func `come behind the events of the turn, before its deferred work`() throws {
    let reactor = try Reactor()
    let first = try Socket.pair()
    let second = try Socket.pair()
    let sources = (0..<3).map { _ in RecordingSource() }
    var order: [String] = []
    for (source, descriptor) in zip(sources, [first.first.descriptor, second.first.descriptor]) {
      try reactor.add(source, descriptor: descriptor, interest: .readable)
      source.onReady = { [unowned source] in
        order.append("event")
        reactor.runLater(source)
      }
      source.onTurn = { order.append("deferred") }
    }
    reactor.add(sources[2])
    reactor.runBehindEvents(sources[2])
    sources[2].onTurn = { order.append("behind") }
    #expect(first.second.send("a") == .bytes(1))
    #expect(second.second.send("a") == .bytes(1))
    reactor.runTurn()
    #expect(order == ["event", "event", "behind", "deferred", "deferred"])
    reactor.release(sources)
  }

  @Test func `come before the timers of the turn, and in turns without events`() throws {
    let reactor = try Reactor()
    let source = RecordingSource()
    var order: [String] = []
    reactor.add(source)
    reactor.runBehindEvents(source)
    reactor.setTimer(source, at: reactor.now)
    source.onTurn = { order.append("behind") }
    source.onTimer = { order.append("timer") }
    reactor.run(until: { order.contains("timer") })
    #expect(order.suffix(2) == ["behind", "timer"])
    reactor.release([source])
  }

  @Test func `end when their source is removed`() throws {
    let reactor = try Reactor()
    let source = RecordingSource()
    reactor.add(source)
    reactor.runBehindEvents(source)
    reactor.runTurn()
    reactor.remove(source)
    reactor.runTurn()
    #expect(source.turns == 1)
  }
}

@Suite struct `Reactor timers` {
  @Test func `timers fire in order and never early`() throws {
    let reactor = try Reactor()
    let start = reactor.now
    var order: [Int] = []
    let sources = [30, 5, 18].map { milliseconds in
      let source = RecordingSource()
      reactor.add(source)
      reactor.setTimer(source, at: start + .milliseconds(milliseconds))
      source.onTimer = { order.append(milliseconds) }
      return source
    }
    reactor.run(until: { order.count == 3 })
    #expect(order == [5, 18, 30])
    for (source, milliseconds) in zip(sources, [30, 5, 18]) {
      #expect(source.firedAt.allSatisfy { $0 >= start + .milliseconds(milliseconds) })
    }
    reactor.release(sources)
  }

  @Test func `a timer that sets itself for now fires once a turn`() throws {
    let reactor = try Reactor()
    let source = RecordingSource()
    reactor.add(source)
    source.onTimer = { reactor.setTimer(source, at: reactor.now) }
    reactor.setTimer(source, at: reactor.now)
    reactor.run(until: { !source.firedAt.isEmpty })
    #expect(source.firedAt.count == 1)
    reactor.run(until: { source.firedAt.count == 3 })
    reactor.release([source])
  }

  @Test func `the longest turn is told once`() throws {
    let reactor = try Reactor()
    let source = RecordingSource()
    reactor.add(source)
    source.onTurn = {
      let end = MonotonicClock.now() + .milliseconds(3)
      while MonotonicClock.now() < end {}
    }
    reactor.runLater(source)
    reactor.runTurn()
    reactor.runTurn()
    #expect(reactor.takeLongestTurn() >= .milliseconds(3))
    #expect(reactor.takeLongestTurn() == .zero)
    reactor.release([source])
  }
}
