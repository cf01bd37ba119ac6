import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgeRouting
import EdgeTelemetry

/// The search for a worker that takes one request.
///
/// Another worker is tried once when connecting fails, or when the worker ends before it has said anything. A full backlog
/// is no failure: the next worker is asked, and where all are full, all again a little later, until the deadline.
struct WorkerSearch {
  private let pool: WorkerPoolState
  private let affinity: WorkerAffinity
  private let began: Instant
  private let deadline: Instant
  private var tried: Set<WorkerID> = []
  private var failures = 0
  private var metFullBacklog = false
  private var isUsingRestedLink = false
  /// Whether a worker took the request and ended without a word: then it is not for lack of workers that none answers.
  private(set) var metEarlyEnd = false

  /// How many workers may fail one request.
  static let maxFailures = 2
  /// How long to wait when every worker's backlog is full.
  static let backlogRetry = Duration.milliseconds(20)

  /// - Parameters:
  ///   - affinity: the worker that the client belongs to; another is tried where that one cannot be reached.
  ///   - began: when the request came.
  ///   - deadline: until when a full backlog is asked again.
  init(pool: WorkerPoolState, affinity: WorkerAffinity, began: Instant, deadline: Instant) {
    self.pool = pool
    self.affinity = affinity
    self.began = began
    self.deadline = deadline
  }

  /// Looks for a worker and connects to it.
  ///
  /// - Parameter mayReuse: whether a link that an earlier request used will do. Its worker may have closed it meanwhile, so
  ///   only a request that may be sent twice should use one.
  mutating func next(mayReuse: Bool, context: ReactorContext) -> WorkerSearchOutcome {
    let now = context.reactor.now
    while failures < Self.maxFailures, let choice = pool.choose(now: now, excluding: tried, affinity: affinity) {
      let worker = PoolWorker(pool: pool, id: choice.worker, path: choice.path)
      if mayReuse, !isUsingRestedLink, let link = context.idleLinks.take(worker) {
        isUsingRestedLink = true
        return .found(link)
      }
      isUsingRestedLink = false
      switch Socket.connect(unixPath: choice.path) {
      case .connected(let socket):
        context.metrics.workerConnected(after: MonotonicClock.now() - began)
        do {
          return .found(try WorkerLink(worker: worker, socket: socket, context: context))
        } catch {
          failed(worker, .edgeExhausted, context: context)
        }
      case .backlogFull: failed(worker, .backlogFull, context: context)
      case .refused: failed(worker, .refused, context: context)
      case .missing: failed(worker, .missing, context: context)
      case .connecting: failed(worker, .other, context: context)
      case .failed(let error):
        // The reserve is for this: a client that is in already gets its worker.
        if error.isOutOfDescriptors { context.shared.reserve.release() }
        failed(worker, ConnectFailure(error), context: context)
      }
    }
    guard metFullBacklog, failures < Self.maxFailures, now < deadline else { return .empty }
    tried = []
    return .later(min(now + Self.backlogRetry, deadline))
  }

  /// The worker ended before it said anything.
  ///
  /// - Returns: whether another attempt makes sense.
  mutating func endedEarly(_ link: WorkerLink, context: ReactorContext) -> Bool {
    metEarlyEnd = true
    // That a rested link is dead says nothing about its worker.
    if !isUsingRestedLink {
      link.surrenderPlace()
      failed(link.worker, .endedEarly, context: context)
    }
    return failures < Self.maxFailures
  }

  private mutating func failed(_ worker: PoolWorker, _ failure: ConnectFailure, context: ReactorContext) {
    pool.failed(worker.id, failure, now: context.reactor.now)
    context.shared.workerFailures.record(worker: worker.path, reason: failure.rawValue)
    switch failure.retry {
    case .nextWorker:
      tried.insert(worker.id)
      failures += 1
    case .nextWorkerOrLater:
      tried.insert(worker.id)
      metFullBacklog = true
    case .giveUp:
      failures += 1
    }
  }
}

extension ConnectFailure {
  fileprivate init(_ error: SystemError) {
    self = error.isOutOfDescriptors ? .edgeExhausted : error.isForbidden ? .forbidden : .other
  }
}

/// What a search came to.
enum WorkerSearchOutcome {
  case found(WorkerLink)
  /// Ask again at this time.
  case later(Instant)
  case empty
}

/// A worker, and the pool that it belongs to.
struct PoolWorker: Hashable {
  let pool: WorkerPoolState
  let id: WorkerID
  /// Its socket.
  let path: String

  /// Whether its clients are to go.
  var sendsClientsAway: Bool { pool.sendsClientsAway(id) }

  static func == (lhs: PoolWorker, rhs: PoolWorker) -> Bool {
    lhs.pool === rhs.pool && lhs.id == rhs.id
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(ObjectIdentifier(pool))
    hasher.combine(id)
  }
}
