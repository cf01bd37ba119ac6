import EdgeCore
import EdgeIO
import Glibc
import Synchronization
import Testing

@Suite struct `Messages between threads` {
  @Test func `a message from another thread wakes a reactor that waits`() throws {
    let reactor = try Reactor()
    let mailbox = try Mailbox<Int>()
    var received: [Int] = []
    try MailboxSource(mailbox) { message in
      received.append(message)
      reactor.stop()
    }.attach(to: reactor)
    let thread = try PlatformThread.start("poster") { mailbox.post(42) }
    reactor.run()
    thread.join()
    #expect(received == [42])
  }

  @Test func `messages of each thread arrive in order, none lost`() throws {
    let reactor = try Reactor()
    let mailbox = try Mailbox<(thread: Int, number: Int)>()
    var next = [0, 0, 0, 0]
    try MailboxSource(mailbox) { message in
      #expect(message.number == next[message.thread])
      next[message.thread] += 1
    }.attach(to: reactor)
    let threads = try (0..<4).map { thread in
      try PlatformThread.start("poster") {
        for number in 0..<5_000 { while !mailbox.post((thread, number)) {} }
      }
    }
    reactor.run(until: { next == [5_000, 5_000, 5_000, 5_000] })
    for thread in threads { thread.join() }
    reactor.removeAll()
  }

  @Test func `messages posted before the receiver came are received`() throws {
    let reactor = try Reactor()
    let mailbox = try Mailbox<Int>()
    for number in 0..<3 { mailbox.post(number) }
    var received: [Int] = []
    try MailboxSource(mailbox) { received.append($0) }.attach(to: reactor)
    reactor.run(until: { received == [0, 1, 2] })
    reactor.removeAll()
  }

  @Test func `a message posted by a handler is received in a later turn`() throws {
    let reactor = try Reactor()
    let mailbox = try Mailbox<Int>()
    var received: [Int] = []
    try MailboxSource(mailbox) { number in
      received.append(number)
      if number < 3 { mailbox.post(number + 1) }
    }.attach(to: reactor)
    mailbox.post(0)
    reactor.runTurn()
    #expect(received == [0])
    reactor.run(until: { received == [0, 1, 2, 3] })
    reactor.removeAll()
  }

  @Test func `a full or closed mailbox refuses`() throws {
    let mailbox = try Mailbox<Int>(capacity: 2)
    #expect(mailbox.post(1))
    #expect(mailbox.post(2))
    #expect(!mailbox.post(3))
    let reactor = try Reactor()
    var received: [Int] = []
    try MailboxSource(mailbox) { received.append($0) }.attach(to: reactor)
    mailbox.close()
    #expect(!mailbox.post(4))
    reactor.run(until: { received == [1, 2] })
    reactor.removeAll()
  }
}

@Suite struct `Threads and signals` {
  @Test func `a thread runs under its name and can be joined`() throws {
    let name = Mutex("")
    try PlatformThread.start("a-name-longer-than-15-bytes") {
      let bytes = try? FileSystem.readFile("/proc/thread-self/comm", maxBytes: 100)
      name.withLock { $0 = String(decoding: bytes ?? [], as: UTF8.self) }
    }.join()
    #expect(name.withLock { $0 } == "a-name-longer-t\n")
  }

  @Test func `joining twice returns`() throws {
    let thread = try PlatformThread.start("short") {}
    thread.join()
    thread.join()
  }

  @Test func `a reactor can live on a thread of its own, stopped by mail`() throws {
    let mailbox = try Mailbox<String>()
    let heard = Mutex<[String]>([])
    let thread = try PlatformThread.start("reactor") {
      guard let reactor = try? Reactor() else { return }
      let source = MailboxSource(mailbox) { word in
        heard.withLock { $0.append(word) }
        if word == "stop" { reactor.stop() }
      }
      guard (try? source.attach(to: reactor)) != nil else { return }
      reactor.run()
    }
    mailbox.post("hello")
    mailbox.post("stop")
    thread.join()
    #expect(heard.withLock { $0 } == ["hello", "stop"])
  }

  @Test func `signals arrive as events`() throws {
    let heard = Mutex<[Int32]>([])
    // A thread of its own, since it ends with these signals blocked.
    try PlatformThread.start("signals") {
      guard let reactor = try? Reactor() else { return }
      let source = try? SignalSource([SIGUSR1, SIGHUP]) { number in
        heard.withLock { $0.append(number) }
        if number == SIGHUP { reactor.stop() }
      }
      guard let source, (try? source.attach(to: reactor)) != nil else { return }
      pthread_kill(pthread_self(), SIGUSR1)
      reactor.runTurn()
      pthread_kill(pthread_self(), SIGHUP)
      reactor.run()
    }.join()
    #expect(heard.withLock { $0 } == [SIGUSR1, SIGHUP])
  }
}
