import EdgeCore
import EdgeIO

/// What the service manager is told of the edge's life, and when: a value without clock or socket.
struct ServiceCourse {
  private enum Stage {
    case starting
    case serving
    case reloading
    case ending(toldAt: Instant)
  }

  private var stage = Stage.starting
  private var hasFailedReload = false
  private var told: (line: String, isDraining: Bool, at: Instant)?

  /// Clients are served.
  mutating func serves(_ figures: ServiceFigures, now: Instant) -> [ServiceNotice] {
    switch stage {
    case .starting, .reloading:
      stage = .serving
      return [.ready, status(figures, now: now)]
    case .serving, .ending: return []
    }
  }

  /// A reload begins. A manager that stops the edge has no ear for it.
  mutating func reloads(now: Instant) -> [ServiceNotice] {
    switch stage {
    case .serving:
      stage = .reloading
      told = nil
      return [.reloading(now), .status("Reloading")]
    case .starting, .reloading, .ending: return []
    }
  }

  /// A reload has ended, and the edge serves by one configuration or the other: the manager has no word for one that failed.
  mutating func reloaded(isApplied: Bool, _ figures: ServiceFigures, now: Instant) -> [ServiceNotice] {
    hasFailedReload = !isApplied
    return serves(figures, now: now)
  }

  /// Time has passed. Call it once a second.
  ///
  /// - Parameter isEnding: whether the process ends, with a drain or without.
  mutating func advance(_ figures: ServiceFigures, isEnding: Bool, now: Instant) -> [ServiceNotice] {
    switch stage {
    case .ending(let toldAt):
      guard now >= toldAt + Self.extensionPeriod else { return [] }
      stage = .ending(toldAt: now)
      return [.extendTimeout(Self.extensionTime), status(figures, now: now)]
    case .starting, .serving, .reloading:
      if isEnding {
        stage = .ending(toldAt: now)
        return [.stopping, .extendTimeout(Self.extensionTime), status(figures, now: now)]
      }
      guard case .serving = stage else { return [] }
      return isDue(figures, now: now) ? [status(figures, now: now)] : []
    }
  }

  /// What a drain asks for beyond the manager's patience, and how often: one that hangs is ended this much later.
  static let extensionTime = Duration.seconds(30)
  static let extensionPeriod = Duration.seconds(5)
  /// How often the line for people changes, at most, as long as it says the same of a drain.
  static let statusPeriod = Duration.seconds(10)

  private mutating func status(_ figures: ServiceFigures, now: Instant) -> ServiceNotice {
    told = (shown(figures), figures.isDraining, now)
    return .status(shown(figures))
  }

  private func isDue(_ figures: ServiceFigures, now: Instant) -> Bool {
    guard let told else { return true }
    return told.line != shown(figures) && (figures.isDraining != told.isDraining || now >= told.at + Self.statusPeriod)
  }

  private func shown(_ figures: ServiceFigures) -> String {
    hasFailedReload ? figures.line + "; the last reload failed, see the log" : figures.line
  }
}

/// What the line for people says.
struct ServiceFigures {
  var clients: Int
  var workersUp: Int
  var workers: Int
  var isDraining: Bool

  var line: String {
    let clients = clients == 1 ? "1 client" : "\(clients) clients"
    return isDraining ? "Draining: \(clients) left" : "Serving \(clients); \(workersUp) of \(workers) workers up"
  }
}
