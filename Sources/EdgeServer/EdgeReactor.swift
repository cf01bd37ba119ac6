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
  /// Let nobody in, and close what is open: WebSockets with 1012, spread evenly over a time. Who comes is refused, or not even
  /// accepted where the drain is final.
  case drain(spread: Duration, isFinal: Bool)
  /// Let clients in as before; who was not told to go yet stays.
  case undrain
  /// Cut off every client.
  case cutOff
  /// Close the WebSockets of a worker with 1012, spread evenly over a time; the reply tells how many.
  case sendAway(fromWorker: String, spread: Duration, reply: @Sendable (Int) -> Void)
  /// A worker keeps its clients after all.
  case keep(atWorker: String)
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
    case .drain(let spread, let isFinal):
      drain(over: spread, isFinal: isFinal)
    case .undrain:
      undrain()
    case .cutOff:
      for client in Array(context.connections.values) { client.abort() }
    case .sendAway(let worker, let spread, let reply):
      reply(context.sendAway(fromWorker: worker, over: spread))
    case .keep(let worker):
      context.keep(atWorker: worker)
    case .stop:
      stopAccepting()
      for client in context.connections.values { client.abort() }
      context.idleLinks.closeAll()
      context.reactor.stop()
    }
  }

  private func drain(over spread: Duration, isFinal: Bool) {
    context.isDraining = true
    if isFinal { stopAccepting() }
    let clients = Array(context.connections.values)
    let times = DepartureTimes(from: context.reactor.now, over: spread, count: clients.count)
    for (index, client) in clients.enumerated() { client.drain(at: times.time(of: index)) }
  }

  private func undrain() {
    context.isDraining = false
    for client in context.connections.values { client.tunnel?.stay(.edge) }
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
