import EdgeCore
import EdgeIO
import EdgeTelemetry
import Synchronization

/// One of the edge's logs: lines are made on the thread where things happen, and reach a file on a thread of its own.
///
/// A reload may change what is written, how, and where to.
final class EdgeLog: Sendable {
  private let minimum: Atomic<Int>
  private let current: Guarded<LogOutput>

  init(to output: LogOutput, level: LogLevel) {
    minimum = Atomic(level.weight)
    current = Guarded(output)
  }

  /// Where the lines go; several logs may share it.
  var output: LogOutput { current.withLock { $0 } }

  /// The least important level that is written.
  var level: LogLevel {
    get { LogLevel.allCases.first { $0.weight == minimum.load(ordering: .relaxed) } ?? .info }
    set { minimum.store(newValue.weight, ordering: .relaxed) }
  }

  /// Writes what comes from now on somewhere else; what has come before may still be on its way.
  func redirect(to output: LogOutput) {
    current.withLock { $0 = output }
  }

  /// Records an event, if its level is logged.
  ///
  /// - Parameter fill: adds the fields; not called where the line is not wanted.
  func write(_ level: LogLevel, _ event: StaticString, _ message: String, _ fill: (inout LogLine) -> Void = { _ in }) {
    guard level.weight >= minimum.load(ordering: .relaxed) else { return }
    writeAlways(level, event, message, fill)
  }

  /// Records an event whatever is logged: no setting hides who changed what.
  func writeAlways(_ level: LogLevel, _ event: StaticString, _ message: String, _ fill: (inout LogLine) -> Void) {
    let output = output
    var line = LogLine(level, event, message, at: WallClock.now(), as: output.format)
    fill(&line)
    output.write(line)
  }
}

/// Standard error or a file, and the thread that writes there.
///
/// A full disk or a slow terminal never makes a reactor wait: what does not fit the queue is dropped and counted.
final class LogOutput: Sendable {
  /// The file; nil for standard error.
  let path: String?
  let format: LogFormat
  private let sink: LogSink
  private let orders: Mailbox<LogOrder>
  private let thread: PlatformThread

  /// Starts the writer's thread.
  ///
  /// - Parameter path: the file; nil for standard error.
  init(path: String?, format: LogFormat) throws(SystemError) {
    self.path = path
    self.format = format
    let sink =
      if let path { LogSink(try AppendFile(path: path), format: format) } else {
        LogSink(try AppendFile.standardError(), format: format)
      }
    let orders = try Mailbox<LogOrder>()
    self.sink = sink
    self.orders = orders
    thread = try PlatformThread.start("log") { sink.run(orders) }
  }

  /// Lines dropped since the start.
  var droppedRecords: UInt64 { sink.queue.droppedRecords }

  /// Lets the writer have a line, which is of this format.
  func write(_ line: consuming LogLine) {
    switch sink.queue.offer(line) {
    case .queuedFirst: _ = orders.post(.write)
    case .queued, .dropped: break
    }
  }

  /// Opens the file again under its name, after a rotation.
  func reopen() {
    _ = orders.post(.reopen)
  }

  /// Writes what waits, and ends the thread.
  func finish() {
    _ = orders.post(.finish)
    thread.join()
  }
}

/// What a log's thread is told.
private enum LogOrder: Sendable {
  case write
  case reopen
  case finish
}

/// Where a log's lines go. Its thread alone takes the file's lock.
private final class LogSink: Sendable {
  let queue = LogQueue()
  private let target: Mutex<Target>
  private let format: LogFormat

  fileprivate struct Target: ~Copyable {
    var file: AppendFile
    var remainder = LineRemainder()
    /// What is being written, or was written last.
    var batch = LogQueue.Batch()
  }

  init(_ file: consuming AppendFile, format: LogFormat) {
    target = Mutex(Target(file: file))
    self.format = format
  }

  /// The thread's life.
  func run(_ orders: Mailbox<LogOrder>) {
    guard let reactor = try? Reactor() else { return }
    let pause = WritePause(sink: self, reactor: reactor)
    reactor.add(pause)
    let source = MailboxSource(orders) { order in
      switch order {
      case .write: pause.begin()
      case .reopen: self.reopen()
      case .finish:
        self.writeAll()
        reactor.stop()
      }
    }
    guard (try? source.attach(to: reactor)) != nil else { return }
    reactor.run()
  }

  fileprivate func writeAll() {
    let (lost, dropped) = target.withLock { target in
      queue.exchange(&target.batch)
      let dropped = target.batch.dropped
      if dropped > 0 { target.batch.bytes += line(ofDropped: dropped) }
      return (target.writeBatch(), dropped)
    }
    guard lost > 0 else { return }
    // The line of those that were dropped is the last, and no record.
    queue.countLost(records: dropped > 0 ? lost - 1 : lost, untold: dropped)
  }

  private func line(ofDropped count: UInt64) -> [UInt8] {
    var line = LogLine(
      .warning, "log.dropped", "Log records were dropped: the log cannot be written fast enough.", at: WallClock.now(), as: format
    )
    line.add(.dropped, count)
    return line.bytes()
  }

  private func reopen() {
    let lost = target.withLock { target in target.reopen() }
    queue.countLost(records: lost, untold: 0)
  }
}

extension LogSink.Target {
  /// Writes the batch; gives how many of its lines the disk did not take.
  mutating func writeBatch() -> Int {
    let text = remainder.bytes.isEmpty ? batch.bytes : remainder.bytes + batch.bytes
    var written = 0
    while written < text.count {
      guard case .bytes(let count) = file.write(text.span.extracting(droppingFirst: written)) else {
        return remainder.keep(of: text, taken: written)
      }
      written += count
    }
    remainder = LineRemainder()
    return 0
  }

  /// Opens the file again; gives how many lines end with the old one.
  mutating func reopen() -> Int {
    // The old file stays in use where the new one cannot be opened.
    do throws(SystemError) { try file.reopen() } catch { return 0 }
    return remainder.clear()
  }
}

/// Lets lines gather for a moment, so that one wake-up and one write serve all of them: with 5 ms instead, a handshake's two
/// lines cost 6 µs more of CPU on this thread.
private final class WritePause: EventSource {
  private let sink: LogSink
  private let reactor: Reactor

  init(sink: LogSink, reactor: Reactor) {
    self.sink = sink
    self.reactor = reactor
  }

  func begin() {
    reactor.setTimer(self, at: reactor.now + .milliseconds(25))
  }

  override func timerFired() {
    sink.writeAll()
  }
}
