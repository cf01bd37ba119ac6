import EdgeCore
import EdgeIO
import EdgePolicy
import EdgeTelemetry

/// Writes the rules to their file, on a thread of its own.
///
/// Changes that come close together are written together, at most once in `pause`. Who asks waits until the file has what was in
/// force when they asked.
final class RuleSaver: Sendable {
  private let orders: Mailbox<SaveOrder>
  private let thread: PlatformThread

  /// The least time between two writes.
  static let pause = Duration.milliseconds(200)
  /// How long a caller waits for the disk.
  private static let patience = Duration.seconds(5)

  /// Starts the thread.
  init(path: String, log: EdgeLog) throws(SystemError) {
    let orders = try Mailbox<SaveOrder>(capacity: 1024)
    self.orders = orders
    thread = try PlatformThread.start("rules") {
      guard let reactor = try? Reactor() else { return }
      let turn = SaveTurn(file: SavedFile(path: path, log: log), reactor: reactor)
      let source = MailboxSource(orders) { turn.received($0) }
      guard (try? source.attach(to: reactor)) != nil else { return }
      reactor.add(turn)
      reactor.run()
    }
  }

  /// Writes the file.
  ///
  /// - Parameter table: gives what is in force when it is called, on the saver's thread.
  /// - Returns: whether the disk has it.
  func save(_ table: @escaping @Sendable () -> RuleTable) -> Bool {
    guard let answers = try? Answers<Bool>(), orders.post(.save(table: table) { answers.add($0) }) else { return false }
    return (try? answers.wait(for: 1, patience: Self.patience).contains(true)) ?? false
  }

  /// Writes what waits, and ends the thread.
  func finish() {
    _ = orders.post(.finish)
    thread.join()
  }
}

/// What the saver's thread is told.
private enum SaveOrder: Sendable {
  case save(table: @Sendable () -> RuleTable, reply: @Sendable (Bool) -> Void)
  case finish
}

/// Lets orders gather until it is time for the next write, and then serves all of them at once.
private final class SaveTurn: EventSource {
  private var file: SavedFile
  private let reactor: Reactor
  private var table: (@Sendable () -> RuleTable)?
  private var waiting: [@Sendable (Bool) -> Void] = []
  private var nextWrite = Instant(nanoseconds: 0)

  init(file: SavedFile, reactor: Reactor) {
    self.file = file
    self.reactor = reactor
  }

  func received(_ order: SaveOrder) {
    switch order {
    case .save(let table, let reply):
      self.table = table
      waiting.append(reply)
      reactor.setTimer(self, at: max(nextWrite, reactor.now))
    case .finish:
      write()
      reactor.stop()
    }
  }

  override func timerFired() {
    write()
  }

  private func write() {
    guard let table = table.take() else { return }
    let isWritten = file.write(RuleFile(table()).encoded)
    nextWrite = MonotonicClock.now() + RuleSaver.pause
    for reply in waiting { reply(isWritten) }
    waiting = []
  }
}

/// The file, and whether the last write reached it: the log tells when that changes.
private struct SavedFile {
  let path: String
  let log: EdgeLog
  private var isFailing = false

  init(path: String, log: EdgeLog) {
    self.path = path
    self.log = log
  }

  mutating func write(_ content: [UInt8]) -> Bool {
    do throws(SystemError) {
      try FileSystem.replaceFile(path, with: content.span)
      isFailing = false
      return true
    } catch {
      if !isFailing { log.writeStateUnwritable(path, error) }
      isFailing = true
      return false
    }
  }
}

extension EdgeLog {
  /// Tells that rules are not kept.
  func writeStateUnwritable(_ path: String, _ error: SystemError) {
    write(.warning, "state.unwritable", "The state directory cannot be written: rules hold until the edge ends, and no longer.") {
      line in
      line.add(.filePath, path)
      line.add(.errorType, "\(error)")
    }
  }
}
