import EdgeCore
import EdgeIO

/// When a WebSocket is to be closed with 1012, and for whose sake: its client should connect again, to another edge or worker.
struct Departure {
  /// Who sends the clients away.
  enum Cause {
    /// The edge drains.
    case edge
    /// An operator drains the worker.
    case worker

    /// What the client reads in the Close.
    var closeReason: String {
      switch self {
      case .edge: "edge_draining"
      case .worker: "worker_draining"
      }
    }
  }

  let time: Instant
  let cause: Cause

  init(_ cause: Cause, at time: Instant) {
    self.cause = cause
    self.time = time
  }
}

/// Spreads the departures of a crowd evenly over a time: where all go at once, all come back at once.
struct DepartureTimes {
  private let start: Instant
  /// From one to the next, in nanoseconds.
  private let step: Double

  /// - Parameter count: how many there are to spread.
  init(from start: Instant, over spread: Duration, count: Int) {
    self.start = start
    step = Double(max(0, spread.nanoseconds)) / Double(max(1, count))
  }

  /// A moment of the share of the time that belongs to one of them, at random: other reactors spread theirs over the same time.
  func time(of index: Int) -> Instant {
    start + .nanoseconds(Int64(step * (Double(index) + .random(in: 0..<1))))
  }
}

extension ReactorContext {
  /// Closes the WebSockets of a worker, evenly over a time; gives how many. Requests may finish.
  func sendAway(fromWorker path: String, over spread: Duration) -> Int {
    let tunnels = connections.values.compactMap(\.tunnel).filter { $0.workerPath == path && $0.ending == nil }
    let times = DepartureTimes(from: reactor.now, over: spread, count: tunnels.count)
    for (index, tunnel) in tunnels.enumerated() { tunnel.depart(Departure(.worker, at: times.time(of: index))) }
    return tunnels.count
  }

  /// Those of the worker's clients that were not told to go yet stay.
  func keep(atWorker path: String) {
    for tunnel in connections.values.compactMap(\.tunnel) where tunnel.workerPath == path { tunnel.stay(.worker) }
  }
}
