import EdgeAdmin
import EdgeCore
import EdgeIO

/// What the reactors answer to one call of a plain thread, which waits for them.
struct Answers<Answer: Sendable>: Sendable {
  private let mailbox: Mailbox<Answer>

  init() throws(AdminBackendError) {
    do {
      mailbox = try Mailbox(capacity: 1024)
    } catch {
      throw .timeout
    }
  }

  /// Gives an answer, on any thread.
  func add(_ answer: Answer) {
    _ = mailbox.post(answer)
  }

  /// Waits for `count` answers.
  ///
  /// - Throws: `AdminBackendError.timeout` if they have not come after `patience`.
  func wait(for count: Int, patience: Duration) throws(AdminBackendError) -> [Answer] {
    var answers: [Answer] = []
    do {
      let reactor = try Reactor()
      let source = MailboxSource(mailbox) { answers.append($0) }
      try source.attach(to: reactor)
      let deadline = reactor.now + patience
      while answers.count < count, reactor.now < deadline { reactor.runTurn(until: deadline) }
      reactor.removeAll()
    } catch {
      throw .timeout
    }
    guard answers.count >= count else { throw .timeout }
    return answers
  }
}
