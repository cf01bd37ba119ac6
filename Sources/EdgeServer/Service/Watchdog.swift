import EdgeCore
import EdgeIO

/// Gives the service manager a sign of life as long as every reactor turns, and this loop with them: a reactor that hangs keeps it
/// back, and the manager ends the process.
final class Watchdog: EventSource {
  private let period: Duration
  private let reactor: Reactor
  private let reactors: [EdgeReactor]
  private let service: ServiceReport
  private let answers: Mailbox<Int>
  private var heartbeat: Heartbeat

  /// - Parameter interval: how long the manager waits.
  /// - Throws: `SystemError` from `eventfd`.
  init(interval: Duration, reactor: Reactor, reactors: [EdgeReactor], service: ServiceReport) throws(SystemError) {
    period = max(interval / 2, .milliseconds(10))
    self.reactor = reactor
    self.reactors = reactors
    self.service = service
    answers = try Mailbox(capacity: reactors.count)
    heartbeat = Heartbeat(reactors: reactors.count)
  }

  /// Asks the reactors from now on. The loop holds this source.
  func start() throws(SystemError) {
    let source = MailboxSource(answers) { [unowned self] index in
      if heartbeat.answered(index) { service.isAlive() }
    }
    try source.attach(to: reactor)
    reactor.add(self)
    timerFired()
  }

  override func timerFired() {
    heartbeat.ask { [answers] index in
      reactors[index].post(.beat { _ = answers.post(index) })
    }
    reactor.setTimer(self, at: reactor.now + period)
  }
}

/// Which reactors have said that they turn. One that was asked is not asked again before it answers.
struct Heartbeat {
  /// Those that owe an answer.
  private var silent: Set<Int> = []
  /// Whether some could not be asked when all were asked last.
  private var isIncomplete = false
  private let reactors: Range<Int>

  init(reactors: Int) {
    self.reactors = 0..<reactors
  }

  /// Asks all of them but those that owe an answer.
  ///
  /// - Parameter post: leaves the question with one; false if it cannot be left.
  mutating func ask(_ post: (Int) -> Bool) {
    isIncomplete = false
    for index in reactors where !silent.contains(index) {
      if post(index) { silent.insert(index) } else { isIncomplete = true }
    }
  }

  /// One has answered.
  ///
  /// - Returns: whether all have, since they were asked last.
  mutating func answered(_ index: Int) -> Bool {
    guard silent.remove(index) != nil else { return false }
    return silent.isEmpty && !isIncomplete
  }
}
