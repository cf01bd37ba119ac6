import EdgeAdmin
import EdgeCore
import EdgeIO
import Synchronization

/// The drain of the whole edge: the control loop, the admin plane and the reactors share it.
///
/// Orders to the reactors are posted under its lock, so that they come in the order in which they were decided.
final class EdgeDrain: Sendable {
  private let course = Guarded(Course())
  private let draining = Atomic(false)
  private let mailboxes: [Mailbox<ReactorOrder>]
  private let events: EventHub

  private struct Course {
    var course = DrainCourse()
    var beganAt: WallTime?
  }

  init(_ mailboxes: [Mailbox<ReactorOrder>], events: EventHub) {
    self.mailboxes = mailboxes
    self.events = events
  }

  /// Whether the edge is not ready for clients.
  var isDraining: Bool { draining.load(ordering: .relaxed) }

  /// When `advance` has something to do, at the latest.
  var deadline: Instant { course.withLock { $0.course.deadline } }

  /// The drain that goes on, and when it began; nil where none does.
  var current: (drain: DrainCourse.Drain, beganAt: WallTime)? {
    course.withLock { state in
      guard let drain = state.course.drain, let beganAt = state.beganAt else { return nil }
      return (drain, beganAt)
    }
  }

  /// Whether the process ends with the drain that goes on.
  var endsProcess: Bool { course.withLock { $0.course.drain?.endsProcess ?? false } }

  /// Someone asks for a drain; one that goes on stays as it is, but ends the process now if that is asked.
  func begin(_ plan: DrainPlan, endsProcess: Bool, connections: Int, now: Instant) {
    change(now: now, connections: connections) { $0.begin(plan, endsProcess: endsProcess, now: now) }
  }

  /// A signal asks for the end of the process.
  ///
  /// - Returns: false for the second one: the end is now.
  func signalled(_ plan: DrainPlan, connections: Int, now: Instant) -> Bool {
    change(now: now, connections: connections) { $0.signalled(plan, now: now) }
  }

  /// Someone takes the drain back: the edge serves as before.
  ///
  /// - Returns: false where the process ends with it.
  func takeBack(connections: Int) -> Bool {
    course.withLock { state in
      let wasDraining = state.course.isDraining
      guard state.course.takeBack() else { return false }
      state.beganAt = nil
      draining.store(false, ordering: .relaxed)
      if wasDraining {
        post(.undrain)
        events.publish(.drain("serving", connections: connections))
      }
      return true
    }
  }

  /// Does what is due.
  ///
  /// - Returns: why the process ends now, if it does.
  func advance(connections: Int, now: Instant) -> String? {
    course.withLock { perform($0.course.advance(connections: connections, now: now)) }
  }

  /// The process ends.
  func stop() {
    course.withLock { state in
      state.course.stop()
      draining.store(true, ordering: .relaxed)
      post(.stop)
    }
  }

  private func change<Answer: Sendable>(now: Instant, connections: Int, _ body: (inout DrainCourse) -> Answer) -> Answer {
    course.withLock { state in
      let answer = body(&state.course)
      if state.course.isDraining {
        state.beganAt = state.beganAt ?? WallClock.now()
        let wasDraining = draining.exchange(true, ordering: .relaxed)
        if !wasDraining { events.publish(.drain("draining", connections: connections)) }
      }
      // What is due at once does not wait for the control loop; the end of the process does.
      if state.course.deadline <= now { _ = perform(state.course.advance(connections: connections, now: now)) }
      return answer
    }
  }

  private func perform(_ action: DrainCourse.Action) -> String? {
    switch action {
    case .nothing: return nil
    case .tellClients(let spread, let endsProcess): post(.drain(spread: spread, isFinal: endsProcess))
    case .cutOff: post(.cutOff)
    case .stop(let reason): return reason
    }
    return nil
  }

  private func post(_ order: ReactorOrder) {
    for mailbox in mailboxes { mailbox.post(order) }
  }
}
