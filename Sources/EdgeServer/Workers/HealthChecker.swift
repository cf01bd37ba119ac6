import EdgeConfig
import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgeRouting

/// Asks every worker of a pool, at an interval, whether it is well: a GET of the configured path.
///
/// Any answer below 500 in time is a pass: a worker that answers lives. Runs on the control loop, never beside clients.
final class HealthChecker: EventSource {
  private let pool: WorkerPoolState
  private let settings: Configuration.HealthCheck
  private let reactor: Reactor
  /// Workers whose answer is awaited.
  private var underway: Set<WorkerID> = []

  init(pool: WorkerPoolState, settings: Configuration.HealthCheck, reactor: Reactor) {
    self.pool = pool
    self.settings = settings
    self.reactor = reactor
  }

  /// Begins to check; the reactor holds the checker.
  func start() {
    reactor.add(self)
    timerFired()
  }

  /// Ends checking; an answer that is awaited still counts.
  func stop() {
    reactor.remove(self)
  }

  /// Whether it checks this pool in this way.
  func checks(_ pool: WorkerPoolState, by settings: Configuration.HealthCheck) -> Bool {
    self.pool === pool && self.settings == settings
  }

  override func timerFired() {
    reactor.setTimer(self, at: reactor.now + settings.interval)
    for worker in pool.workers where worker.isPresent && !underway.contains(worker.id) { check(worker) }
  }

  private func check(_ worker: WorkerSnapshot) {
    let socket: Socket
    switch Socket.connect(unixPath: worker.socket.path) {
    case .connected(let connected): socket = connected
    // It lives, and is busy: no answer is no verdict.
    case .backlogFull: return
    case .connecting: return
    case .refused: return finished(worker.id, passed: false)
    case .missing: return finished(worker.id, passed: false)
    case .failed: return finished(worker.id, passed: false)
    }
    underway.insert(worker.id)
    let probe = HealthProbe(socket: socket, path: settings.path, reactor: reactor) { [weak self] passed in
      self?.finished(worker.id, passed: passed)
    }
    probe.start(timeout: settings.timeout)
  }

  private func finished(_ worker: WorkerID, passed: Bool) {
    underway.remove(worker)
    pool.healthCheck(worker, passed: passed, now: reactor.now)
  }
}

/// One question to one worker.
private final class HealthProbe: EventSource {
  private var socket: Socket?
  private let path: String
  private let reactor: Reactor
  private var parser = ResponseHeadParser()
  private var finished: ((Bool) -> Void)?

  init(socket: consuming Socket, path: String, reactor: Reactor, finished: @escaping (Bool) -> Void) {
    self.socket = consume socket
    self.path = path
    self.reactor = reactor
    self.finished = finished
  }

  func start(timeout: Duration) {
    let request = Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\nUser-Agent: sluice-health\r\nConnection: close\r\n\r\n".utf8)
    guard let descriptor = socket?.descriptor, case .bytes(request.count) = socket?.send(request.span) else {
      return finish(false)
    }
    do {
      try reactor.add(self, descriptor: descriptor, interest: .readable)
      reactor.setTimer(self, at: reactor.now + timeout)
    } catch {
      finish(false)
    }
  }

  override func ready(_ readiness: Readiness) {
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      var room = buffer.mutableSpan
      guard case .bytes(let count) = socket?.receive(into: &room) else {
        // Nothing more for now, or the end before an answer.
        if !readiness.isDisjoint(with: [.peerClosed, .hungUp, .error]) { finish(false) }
        return
      }
      do {
        switch try parser.receive(buffer.span.extracting(first: count)) {
        case .needMore: break
        case .complete(let head, consumed: _): if !head.isInterim { return finish(head.status < 500) }
        }
      } catch {
        return finish(false)
      }
    }
  }

  override func timerFired() {
    finish(false)
  }

  private func finish(_ passed: Bool) {
    reactor.remove(self)
    socket = nil
    finished.take()?(passed)
  }
}
