internal import EdgeCore

/// Whether a worker is held to be alive, and what would change that.
enum WorkerHealth: Sendable, Equatable {
  /// It takes clients. `failures` in a row may have passed `fall` when the pool could not spare it.
  case up(failures: Int)
  /// It takes none, but for probes.
  case down(Down)

  /// What found a worker dead, and so what may find it alive.
  enum Cause: Sendable {
    /// Clients failed at it: now and then a client is sent as a probe.
    case clients
    /// The active check failed: the check must pass again.
    case check
  }

  struct Down: Sendable, Equatable {
    var cause: Cause
    var since: Instant
    var failures: Int
    /// Successes in a row since the last failure.
    var successes = 0
    /// How long to wait after the next probe that fails.
    var backoff: Duration
    var probe: Probe
  }

  enum Probe: Sendable, Equatable {
    /// No client is sent before `until`.
    case waiting(until: Instant)
    /// A client was sent; when it has not reported by `deadline`, another may go.
    case underway(deadline: Instant)
  }

  var isUp: Bool {
    switch self {
    case .up: true
    case .down: false
    }
  }

  var failures: Int {
    switch self {
    case .up(let failures): failures
    case .down(let down): down.failures
    }
  }

  /// Whether only a check can bring the worker back.
  var isDownByCheck: Bool {
    switch self {
    case .up: false
    case .down(let down): down.cause == .check
    }
  }

  /// Since when clients' failures hold the worker down, or nil.
  var downByClientsSince: Instant? {
    switch self {
    case .up: nil
    case .down(let down): down.cause == .clients ? down.since : nil
    }
  }

  /// Whether a client should be sent to see if the worker is back.
  func isProbeDue(at now: Instant) -> Bool {
    switch self {
    case .up: return false
    case .down(let down):
      guard down.cause == .clients else { return false }
      switch down.probe {
      case .waiting(let time), .underway(let time): return time <= now
      }
    }
  }

  mutating func probeSent(at now: Instant) {
    switch self {
    case .up: break
    case .down(var down):
      down.probe = .underway(deadline: now + probeDeadline)
      self = .down(down)
    }
  }

  /// Notes a success; `rise` of them in a row bring a worker back.
  mutating func succeeded(_ cause: Cause, rise: Int, at now: Instant) {
    switch self {
    case .up: self = .up(failures: 0)
    case .down(var down):
      guard cause == .check || down.cause == .clients else { return }
      down.successes += 1
      down.probe = .waiting(until: now)
      self = down.successes >= rise ? .up(failures: 0) : .down(down)
    }
  }

  /// Notes a failure; tells whether there were `fall` in a row, so that the worker should go down.
  mutating func failed(_ cause: Cause, fall: Int, at now: Instant) -> Bool {
    switch self {
    case .up(let failures):
      self = .up(failures: failures + 1)
      return failures + 1 >= fall
    case .down(var down):
      switch (cause, down.probe) {
      case (.check, _):
        down.cause = .check
        down.failures += 1
        down.successes = 0
      case (.clients, .underway):
        down.failures += 1
        down.successes = 0
        down.probe = .waiting(until: now + down.backoff)
        down.backoff = min(down.backoff * 2, maxBackoff)
      case (.clients, .waiting):
        // An attempt from before the worker went down: it says nothing new.
        break
      }
      self = .down(down)
      return false
    }
  }

  mutating func takeDown(_ cause: Cause, at now: Instant) {
    self = .down(
      Down(cause: cause, since: now, failures: failures, backoff: firstBackoff * 2, probe: .waiting(until: now + firstBackoff)))
  }
}

private let firstBackoff = Duration.seconds(2)
private let maxBackoff = Duration.seconds(60)
private let probeDeadline = Duration.seconds(60)
