import EdgeConfig
import EdgeCore

/// How a drain goes: what its caller asked for, or the configuration says.
struct DrainPlan: Equatable {
  /// From the beginning until clients are told to go: load balancers need a moment to see that the edge is not ready.
  var delay: Duration
  /// Over how long clients are told to go, evenly.
  var spread: Duration
  /// From the beginning until whoever is left is cut off.
  var timeout: Duration
}

extension DrainPlan {
  init(_ settings: Configuration.Drain) {
    self.init(delay: settings.delay, spread: settings.spread, timeout: settings.timeout)
  }
}

/// How far a drain has come: what begins, hastens and ends it, as a value without clock or threads.
struct DrainCourse {
  /// A drain that goes on.
  struct Drain: Equatable {
    let began: Instant
    let plan: DrainPlan
    /// Whether the process ends with it; if not, it lasts until it is taken back.
    fileprivate(set) var endsProcess: Bool
    /// Whether a signal asked for it: another one ends the process at once.
    fileprivate var isSignalled: Bool

    /// When the last client is told to go.
    var spreadEnd: Instant { min(began + plan.delay + plan.spread, end) }
    /// When whoever is left is cut off.
    fileprivate var end: Instant { began + plan.timeout }
    fileprivate var departureTime: Instant { began + min(plan.delay, plan.timeout) }
  }

  /// What is to be done now.
  enum Action: Equatable {
    case nothing
    /// Refuse who comes, and tell who is here to go. Nobody is accepted any more where the process ends.
    case tellClients(spread: Duration, endsProcess: Bool)
    /// Cut off who is left.
    case cutOff
    case stop(reason: String)
  }

  private enum Stage {
    case serving
    /// Not ready any more, but still serving.
    case delaying(Drain)
    case telling(Drain)
    /// Its time is over: nobody is let in until it is taken back.
    case closed(Drain)
    case stopped
  }

  private var stage = Stage.serving

  /// The drain that goes on, if one does.
  var drain: Drain? {
    switch stage {
    case .delaying(let drain), .telling(let drain), .closed(let drain): drain
    case .serving, .stopped: nil
    }
  }

  /// Whether the edge is not ready for clients.
  var isDraining: Bool {
    switch stage {
    case .serving: false
    case .delaying, .telling, .closed, .stopped: true
    }
  }

  /// When `advance` has something to do, at the latest.
  var deadline: Instant {
    switch stage {
    case .delaying(let drain): drain.departureTime
    case .telling(let drain): drain.end
    case .serving, .closed, .stopped: .distantFuture
    }
  }

  /// Someone asks for a drain. One that goes on stays as it is, but ends the process now if that is asked.
  mutating func begin(_ plan: DrainPlan, endsProcess: Bool, now: Instant) {
    switch stage {
    case .serving:
      stage = .delaying(Drain(began: now, plan: plan, endsProcess: endsProcess, isSignalled: false))
    case .delaying(var drain):
      drain.endsProcess = drain.endsProcess || endsProcess
      stage = .delaying(drain)
    case .telling(let drain), .closed(let drain):
      if endsProcess, !drain.endsProcess { end(drain, by: plan, isSignalled: false, now: now) }
    case .stopped: break
    }
  }

  /// A signal asks for the end. What a drain that goes on has waited already counts.
  ///
  /// - Returns: false for the second one: the end is now.
  mutating func signalled(_ plan: DrainPlan, now: Instant) -> Bool {
    switch stage {
    case .serving:
      stage = .delaying(Drain(began: now, plan: plan, endsProcess: true, isSignalled: true))
    case .delaying(let drain), .telling(let drain), .closed(let drain):
      guard !drain.isSignalled else { return false }
      end(drain, by: plan, isSignalled: true, now: now)
    case .stopped: return false
    }
    return true
  }

  private mutating func end(_ drain: Drain, by plan: DrainPlan, isSignalled: Bool, now: Instant) {
    let waited = now - drain.began
    var plan = plan
    plan.delay = max(plan.delay, waited)
    plan.timeout += waited
    if drain.endsProcess { plan.timeout = min(plan.timeout, drain.plan.timeout) }
    stage = .delaying(Drain(began: drain.began, plan: plan, endsProcess: true, isSignalled: isSignalled))
  }

  /// Someone takes the drain back.
  ///
  /// - Returns: false where the process ends with it: nobody is accepted any more.
  mutating func takeBack() -> Bool {
    switch stage {
    case .serving: return true
    case .delaying(let drain), .telling(let drain), .closed(let drain):
      guard !drain.endsProcess else { return false }
      stage = .serving
      return true
    case .stopped: return false
    }
  }

  /// Time has passed.
  ///
  /// - Parameter connections: how many clients are connected.
  mutating func advance(connections: Int, now: Instant) -> Action {
    switch stage {
    case .delaying(let drain):
      guard now >= drain.departureTime else { return .nothing }
      stage = .telling(drain)
      return .tellClients(spread: drain.plan.spread, endsProcess: drain.endsProcess)
    case .telling(let drain):
      if drain.endsProcess, connections == 0 { return .stop(reason: "All connections have ended.") }
      guard now >= drain.end else { return .nothing }
      guard !drain.endsProcess else { return .stop(reason: "The drain's time is over.") }
      stage = .closed(drain)
      return .cutOff
    case .serving, .closed, .stopped: return .nothing
    }
  }

  /// The process ends.
  mutating func stop() {
    stage = .stopped
  }
}
