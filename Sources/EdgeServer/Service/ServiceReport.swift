import EdgeCore
import EdgeIO
import EdgeRouting

/// Tells the service manager, if there is one, how the edge is. The control loop and the thread that reloads share it.
final class ServiceReport: Sendable {
  private let manager: ServiceManager?
  private let course = Guarded(ServiceCourse())

  init(_ manager: ServiceManager?) {
    self.manager = manager
  }

  /// What says how often it waits for a sign of life; nil where it does not.
  var watchdogInterval: Duration? { manager?.watchdogInterval }

  /// Clients are served.
  func serves(_ shared: SharedState, now: Instant) {
    tell { $0.serves(shared.serviceFigures, now: now) }
  }

  /// A reload begins.
  func reloads(now: Instant) {
    tell { $0.reloads(now: now) }
  }

  /// A reload has ended.
  func reloaded(isApplied: Bool, _ shared: SharedState, now: Instant) {
    tell { $0.reloaded(isApplied: isApplied, shared.serviceFigures, now: now) }
  }

  /// Time has passed.
  func advance(_ shared: SharedState, isEnding: Bool, now: Instant) {
    tell { $0.advance(shared.serviceFigures, isEnding: isEnding, now: now) }
  }

  /// Every part of the edge that serves clients has moved a moment ago.
  func isAlive() {
    manager?.tell([.alive])
  }

  /// Under the lock, so that what was decided first is told first.
  private func tell(_ decide: (inout ServiceCourse) -> [ServiceNotice]) {
    guard let manager else { return }
    course.withLock { manager.tell(decide(&$0)) }
  }
}

extension SharedState {
  fileprivate var serviceFigures: ServiceFigures {
    let workers = snapshot.pools.flatMap(\.workers)
    return ServiceFigures(
      clients: limits.openConnections, workersUp: workers.count { $0.isUp }, workers: workers.count, isDraining: isDraining)
  }
}
