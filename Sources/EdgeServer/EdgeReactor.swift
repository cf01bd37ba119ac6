import EdgeAdmin
import EdgeCore
import EdgeIO
import EdgePolicy
import EdgeTelemetry
import EdgeWebSocket
import Synchronization

/// One reactor thread as the rest of the process sees it: a mailbox, and counters that anybody may read.
final class EdgeReactor: Sendable {
  private let currentMetrics: Guarded<ReactorMetrics>
  private let mailbox: Mailbox<ReactorOrder>
  private let thread: PlatformThread

  /// Starts the thread, and accepting on the sockets.
  ///
  /// - Parameters:
  ///   - mailbox: the one of `shared` for this reactor.
  /// - Throws: `StartError.system` when the thread cannot begin to serve.
  init(index: Int, shared: SharedState, mailbox: Mailbox<ReactorOrder>) throws {
    let beginnings = try Answers<String?>()
    let metrics = ReactorMetrics(layout: shared.snapshot.metricLayout)
    self.mailbox = mailbox
    currentMetrics = Guarded(metrics)
    thread = try PlatformThread.start("reactor") {
      do {
        // Held by nobody else here: a reload lets go of it, and of the sockets that it has.
        let loop = try ReactorLoop(
          context: ReactorContext(index: index, shared: shared, snapshot: shared.snapshot, metrics: metrics))
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

  /// What the reactor counts.
  var metrics: ReactorMetrics { currentMetrics.withLock { $0 } }

  /// Lets the reactor go by another configuration, and tells when it does. The counters of names that there were go on.
  ///
  /// - Returns: false if the thread takes no more orders.
  func adopt(_ snapshot: Snapshot, reply: @escaping @Sendable () -> Void) -> Bool {
    var metrics = metrics
    if metrics.layout != snapshot.metricLayout {
      metrics = ReactorMetrics(layout: snapshot.metricLayout, continuing: metrics)
    }
    guard post(.adopt(snapshot, metrics, reply: reply)) else { return false }
    currentMetrics.withLock { [metrics] in $0 = metrics }
    return true
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
  /// Say that this loop turns.
  case beat(reply: @Sendable () -> Void)
  /// Tell the admin plane of WebSockets, or do something to them.
  case connections(ConnectionOrder)
  /// Close one WebSocket if a newer one of the same user has its place.
  case replace(ConnectionID)
  /// Close whom a new rule concerns, and adopt a throttle that came or went; the reply tells how many were closed.
  case enforce(Rule, reply: @Sendable (Int) -> Void)
  /// Go by another configuration from now on, with counters that go on from the present ones.
  case adopt(Snapshot, ReactorMetrics, reply: @Sendable () -> Void)
  /// The clock on the wall was set: reckon anew when tokens end.
  case clockStepped
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
  private var isAccepting = true

  init(context: ReactorContext) {
    self.context = context
    let queue = AdmissionQueue(context)
    self.queue = queue
    listeners = zip(context.snapshot.sockets, context.snapshot.listeners).map { sockets, listener in
      EdgeListener(sockets.sockets[context.index], listener: listener, queue: queue, context: context)
    }
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
    case .beat(let reply):
      reply()
    case .connections(let order):
      context.carryOut(order)
    case .replace(let id):
      context.connections[id]?.closeIfReplaced()
    case .enforce(let rule, let reply):
      reply(context.enforce(rule))
    case .adopt(let snapshot, let metrics, let reply):
      context.adopt(snapshot, metrics: metrics)
      if isAccepting { adoptListeners(snapshot) }
      reply()
    case .clockStepped:
      for client in context.connections.values { client.tunnel?.clockStepped() }
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

  /// New addresses accept before old ones stop.
  private func adoptListeners(_ snapshot: Snapshot) {
    var left = listeners
    listeners = zip(snapshot.sockets, snapshot.listeners).map { sockets, listener in
      let socket = sockets.sockets[context.index]
      if let index = left.firstIndex(where: { $0.socket === socket }) {
        let running = left.remove(at: index)
        running.adopt(listener)
        return running
      }
      let new = EdgeListener(socket, listener: listener, queue: queue, context: context)
      do throws(SystemError) { try new.start() } catch { new.acceptFailed(error) }
      return new
    }
    for listener in left { listener.stop() }
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
    isAccepting = false
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
