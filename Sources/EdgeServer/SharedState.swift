import EdgeCore
import EdgeIO
import EdgePolicy
import EdgeTLS
import EdgeTelemetry
import Synchronization

/// What all reactors and the admin plane share. Everything in it is immutable, atomic, or behind a lock that no message
/// ever waits for.
final class SharedState: Sendable {
  let pools: [WorkerPoolState]
  let listeners: [ListenerContext]
  let log: EdgeLog
  /// Lines about connections and requests; the same as `log` where no file is set.
  let accessLog: EdgeLog
  let reserve: DescriptorReserve
  let workerFailures = WorkerFailureCounts()
  let tickets: TicketKeyRing
  let maxConnections: Int
  private let caps: Guarded<ConnectionCaps>
  private let denials = Guarded(DenialLimiter())
  private let changeCount = Atomic<Int>(0)
  private let connectionCount = Atomic<Int>(0)
  private let refusalCount = Atomic<Int>(0)
  private let draining = Atomic<Bool>(false)

  init(
    pools: [WorkerPoolState], listeners: [ListenerContext], logs: EdgeLogs, reserve: DescriptorReserve, tickets: TicketKeyRing,
    maxConnections: Int, caps: ConnectionCaps
  ) {
    self.pools = pools
    self.listeners = listeners
    log = logs.main
    accessLog = logs.access
    self.reserve = reserve
    self.tickets = tickets
    self.maxConnections = maxConnections
    self.caps = Guarded(caps)
  }

  /// Whether the edge sends its clients away.
  var isDraining: Bool { draining.load(ordering: .relaxed) }

  /// The edge begins to send its clients away.
  func beginDraining() {
    draining.store(true, ordering: .relaxed)
  }

  /// How many connections have come or gone since the start: as long as it stands still, nobody does either.
  var connectionChanges: Int { changeCount.load(ordering: .relaxed) }

  /// Clients' connections that are open, on all reactors.
  var openConnections: Int { connectionCount.load(ordering: .relaxed) }

  /// Takes a connection's place in the edge's cap and its address's; give it back with `release`.
  ///
  /// - Parameter address: nil is not charged to any address: a peer without one, or a trusted proxy.
  func charge(_ address: IPAddress?) -> ConnectionCharge {
    changeCount.add(1, ordering: .relaxed)
    let isFull = connectionCount.add(1, ordering: .relaxed).newValue > maxConnections
    guard !isFull else { return refused(.edgeLimit) }
    guard let address else { return .admitted(.uncounted) }
    switch caps.withLock({ $0.open(address) }) {
    case .allowed(let place): return .admitted(place)
    case .full: return refused(.ipLimit)
    }
  }

  /// Whether a denial gets a line of its own in the log: one address's at most one a second, with a count.
  func judgeDenial(_ address: IPAddress?, now: Instant) -> DenialLimiter.Verdict {
    denials.withLock { $0.judge(address, now: now) }
  }

  /// The denials that got no line, of addresses that have gone quiet. Ask once a second.
  func suppressedDenials(now: Instant) -> [DenialLimiter.Summary] {
    denials.withLock { $0.takeExpired(now: now) }
  }

  /// Gives a connection's place back.
  func release(_ charge: ConnectionCharge) {
    changeCount.add(1, ordering: .relaxed)
    connectionCount.subtract(1, ordering: .relaxed)
    switch charge {
    case .admitted(let place): caps.withLock { $0.close(place) }
    case .refused: refusalCount.subtract(1, ordering: .relaxed)
    case .unanswered: break
    }
  }

  /// A client over a cap is told so, as long as not too many are being told: then it is closed without a word.
  private func refused(_ result: HandshakeResult) -> ConnectionCharge {
    guard refusalCount.add(1, ordering: .relaxed).newValue <= Self.maxRefusals else {
      refusalCount.subtract(1, ordering: .relaxed)
      return .unanswered
    }
    return .refused(result)
  }

  /// How many clients over a cap may be connected at a time, waiting for their refusal.
  static let maxRefusals = 256
}

/// What a client's connection holds of the caps.
enum ConnectionCharge {
  case admitted(ConnectionCaps.Place)
  /// Over a cap: whatever it asks, this is the answer.
  case refused(HandshakeResult)
  /// Over a cap, and not worth an answer.
  case unanswered
}
