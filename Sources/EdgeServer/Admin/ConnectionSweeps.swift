import EdgeCore
import EdgeIO

/// Goes through the connections of a reactor for the admin plane, one sweep after another, and so that messages hardly wait for it.
///
/// After each share the thread, and the core that it runs on, are left to others for as long as that took. However many operators ask
/// for however much, half of the time is the clients'.
final class ConnectionSweeps {
  private let reactor: Reactor
  private var timer: PreciseTimer?
  private var sweeps: [Sweep] = []
  /// Until when nothing is looked at.
  private var restsUntil = Instant(nanoseconds: 0)

  private struct Sweep {
    var ids: ArraySlice<ConnectionID>
    let visit: (ConnectionID) -> Void
    let finish: () -> Void
  }

  init(_ reactor: Reactor) throws(SystemError) {
    self.reactor = reactor
    let timer = try PreciseTimer { [unowned self] in goOn() }
    try timer.attach(to: reactor)
    self.timer = timer
  }

  /// Calls `visit` for each of these, then `finish`. Until its turn comes a connection may have ended.
  func begin(_ ids: [ConnectionID], visit: @escaping (ConnectionID) -> Void, finish: @escaping () -> Void) {
    sweeps.append(Sweep(ids: ids[...], visit: visit, finish: finish))
    guard sweeps.count == 1 else { return }
    if restsUntil <= MonotonicClock.now() { goOn() } else { timer?.set(at: restsUntil) }
  }

  private func goOn() {
    guard let sweep = sweeps.first else { return }
    let began = MonotonicClock.now()
    for id in sweep.ids.prefix(Self.share) { sweep.visit(id) }
    sweeps[0].ids = sweep.ids.dropFirst(Self.share)
    if sweeps[0].ids.isEmpty {
      sweep.finish()
      sweeps.removeFirst()
    }
    let ended = MonotonicClock.now()
    restsUntil = ended + min(ended - began, Self.longestRest)
    if !sweeps.isEmpty { timer?.set(at: restsUntil) }
  }

  /// How many connections are looked at in a turn.
  static let share = 100
  /// A share may have taken long because the thread did not run.
  private static let longestRest = Duration.milliseconds(2)
}
