import EdgeAdmin
import EdgeCore
import EdgeIO
import EdgePolicy
import EdgeTelemetry
import EdgeWebSocket
import Synchronization

/// One reactor thread as the rest of the process sees it: a mailbox, and counters that anybody may read.
final class EdgeReactor: Sendable {
  let metrics: ReactorMetrics
  private let mailbox: Mailbox<ReactorOrder>
  private let thread: PlatformThread

  /// Starts the thread, and accepting on the sockets.
  ///
  /// - Parameters:
  ///   - mailbox: the one of `shared` for this reactor.
  ///   - sockets: one for each listener of `shared`, in the same order.
  /// - Throws: `StartError.system` when the thread cannot begin to serve.
  init(
    index: Int, shared: SharedState, snapshot: Snapshot, metrics: ReactorMetrics, mailbox: Mailbox<ReactorOrder>,
    sockets: [SharedSocket]
  ) throws {
    let beginnings = try Answers<String?>()
    self.mailbox = mailbox
    self.metrics = metrics
    thread = try PlatformThread.start("reactor") {
      do {
        let loop = try ReactorLoop(
          context: ReactorContext(index: index, shared: shared, snapshot: snapshot, metrics: metrics), sockets: sockets)
        try loop.begin(mailbox)
        beginnings.add(nil)
        loop.run()
        mailbox.close()
      } catch {
        beginnings.add("\(error)")
      }
    }
    if let problem = try beginnings.wait(for: 1, patience: .seconds(10)).first ?? nil {
      throw StartError.system("reactor \(index) cannot start: \(problem)")
    }
  }

  /// Gives the thread an order; false if it no longer takes any.
  @discardableResult
  func post(_ order: ReactorOrder) -> Bool {
    mailbox.post(order)
  }

  /// Waits until the thread has ended.
  func join() {
    thread.join()
  }
}

/// What a reactor is told by other threads.
enum ReactorOrder: Sendable {
  /// Tell of every WebSocket.
  case list(reply: @Sendable ([ConnectionSummary]) -> Void)
  /// Close one WebSocket; the reply tells whether there was one.
  case disconnect(ConnectionID, CloseCode, reason: String, reply: @Sendable (Bool) -> Void)
  /// Close one WebSocket if a newer one of the same user has its place.
  case replace(ConnectionID)
  /// Close whom a new rule concerns, and adopt a throttle that came or went; the reply tells how many were closed.
  case enforce(Rule, reply: @Sendable (Int) -> Void)
  /// Stop accepting, and close what is open: WebSockets with 1012, spread evenly at random over a time.
  case drain(spread: Duration)
  /// End at once.
  case stop
}

/// A reactor's thread from the inside.
private final class ReactorLoop {
  private let context: ReactorContext
  private let queue: AdmissionQueue
  private var listeners: [EdgeListener]

  init(context: ReactorContext, sockets: [SharedSocket]) {
    self.context = context
    let queue = AdmissionQueue(context)
    self.queue = queue
    listeners = zip(sockets, context.shared.listeners).map { EdgeListener($0, listener: $1, queue: queue, context: context) }
  }

  /// Begins to accept clients and to take orders.
  func begin(_ mailbox: Mailbox<ReactorOrder>) throws(SystemError) {
    let orders = MailboxSource(mailbox) { [unowned self] order in self.received(order) }
    try orders.attach(to: context.reactor)
    queue.start()
    for listener in listeners { try listener.start() }
    let lag = LagSampler(context)
    lag.start()
  }

  /// Serves until it is told to stop.
  func run() {
    context.reactor.run()
  }

  private func received(_ order: ReactorOrder) {
    switch order {
    case .list(let reply):
      reply(context.connections.values.compactMap { ConnectionSummary($0) })
    case .disconnect(let id, let code, let reason, let reply):
      let tunnel = context.connections[id]?.tunnel
      tunnel?.close(code, reason: reason)
      reply(tunnel != nil)
    case .replace(let id):
      context.connections[id]?.closeIfReplaced()
    case .enforce(let rule, let reply):
      reply(context.enforce(rule))
    case .drain(let spread):
      drain(over: spread)
    case .stop:
      stopAccepting()
      for client in context.connections.values { client.abort() }
      context.idleLinks.closeAll()
      context.reactor.stop()
    }
  }

  private func drain(over spread: Duration) {
    context.isDraining = true
    stopAccepting()
    let now = context.reactor.now
    for client in Array(context.connections.values) {
      let share = Double.random(in: 0..<1) * Double(spread.nanoseconds)
      client.drain(at: now + .nanoseconds(Int64(share)))
    }
  }

  private func stopAccepting() {
    for listener in listeners { listener.stop() }
    listeners = []
    queue.stop()
  }
}

/// Records once a second how long the longest turn of the loop took.
private final class LagSampler: EventSource {
  private let context: ReactorContext

  init(_ context: ReactorContext) {
    self.context = context
  }

  func start() {
    context.reactor.add(self)
    context.reactor.setTimer(self, at: context.reactor.now + .seconds(1))
  }

  override func timerFired() {
    context.metrics.eventLoopLagged(nanoseconds: UInt64(max(0, context.reactor.takeLongestTurn().nanoseconds)))
    context.reactor.setTimer(self, at: context.reactor.now + .seconds(1))
  }
}
