import EdgeAdmin
import EdgeCore
import EdgeIO
import EdgeTLS
import EdgeTelemetry

/// What all reactors and the admin plane share. Everything in it is immutable, atomic, or behind a lock that no message
/// ever waits for.
final class SharedState: Sendable {
  private let current: Guarded<Snapshot>
  let log: EdgeLog
  /// Lines about connections and requests; the same as `log` where no file is set.
  let accessLog: EdgeLog
  let reserve: DescriptorReserve
  let workerFailures = WorkerFailureCounts()
  let tickets: TicketKeyRing
  let inherited: InheritedSockets
  let limits = EdgeLimits()
  let rules: RuleStore
  /// Reloads and admin actions, for the metrics.
  let control = ControlCounters()
  /// Where reactors and the control loop tell what happens.
  let events = EventHub()
  let closed = ClosedConnections()
  private let denials = Guarded(DenialLimiter())
  let drain: EdgeDrain
  /// What the service manager is told.
  let service: ServiceReport
  private let mailboxes: [Mailbox<ReactorOrder>]

  init(
    snapshot: Snapshot, logs: EdgeLogs, reserve: DescriptorReserve, tickets: TicketKeyRing, inherited: InheritedSockets,
    rules: RuleStore, service: ServiceReport, mailboxes: [Mailbox<ReactorOrder>]
  ) {
    current = Guarded(snapshot)
    log = logs.main
    accessLog = logs.access
    self.reserve = reserve
    self.tickets = tickets
    self.inherited = inherited
    self.rules = rules
    self.service = service
    self.mailboxes = mailboxes
    drain = EdgeDrain(mailboxes, events: events)
  }

  /// The configuration in force. Reactors have it from their context: each takes another one in at a moment of its own.
  var snapshot: Snapshot { current.withLock { $0 } }

  /// Puts another configuration in force for all but the reactors, who are told by an order.
  func replaceSnapshot(with snapshot: Snapshot) {
    current.withLock { $0 = snapshot }
  }

  /// Whether the edge sends its clients away.
  var isDraining: Bool { drain.isDraining }

  /// Gives a reactor an order; false if it no longer takes any.
  @discardableResult
  func post(_ order: ReactorOrder, to reactor: Int) -> Bool {
    mailboxes.indices.contains(reactor) && mailboxes[reactor].post(order)
  }

  /// Whether a denial gets a line of its own in the log: one address's at most one a second, with a count.
  func judgeDenial(_ address: IPAddress?, now: Instant) -> DenialLimiter.Verdict {
    denials.withLock { $0.judge(address, now: now) }
  }

  /// The denials that got no line, of addresses that have gone quiet. Ask once a second.
  func suppressedDenials(now: Instant) -> [DenialLimiter.Summary] {
    denials.withLock { $0.takeExpired(now: now) }
  }
}
