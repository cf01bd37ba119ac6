internal import EdgeCore

/// What operators do to the edge, counted: reloads, and actions on the admin plane. Both are rare and happen on any thread, so one
/// lock serves all.
public final class ControlCounters: Sendable {
  private let counts = Guarded(ControlSample())

  /// Makes counts at zero; what the edge started with counts as a good configuration.
  public init() {}

  /// Counts a reload that ended, well or not.
  public func reloadEnded(_ result: ReloadResult) {
    counts.withLock {
      $0.reloads[result.rawValue] += 1
      $0.isLastReloadGood = result == .applied
    }
  }

  /// Counts an action that somebody asked for.
  ///
  /// - Parameter action: a word of ours such as `rule.add`, never a peer's text; past `maxActions` different ones it counts as `other`.
  public func adminActed(_ action: String, result: AdminActionResult) {
    counts.withLock {
      let isKnown = $0.actions[action] != nil || $0.actions.count < Self.maxActions
      $0.actions[isKnown ? action : "other", default: AdminActionCounts()].cells[result.rawValue] += 1
    }
  }

  /// The counts at this moment, for `ScrapeValues`.
  public var sample: ControlSample {
    counts.withLock { $0 }
  }

  /// How many different actions have series of their own.
  static let maxActions = 64
}

/// What `ControlCounters` had counted at one moment.
public struct ControlSample: Equatable, Sendable {
  var reloads = Array(repeating: UInt64(0), count: ReloadResult.allCases.count)
  var isLastReloadGood = true
  var actions: [String: AdminActionCounts] = [:]

  /// A sample in which nothing was counted.
  public init() {}
}

/// How often one action was asked for, by what came of it.
struct AdminActionCounts: Equatable, Sendable {
  var cells = Array(repeating: UInt64(0), count: AdminActionResult.allCases.count)
}

/// How a reload ended.
public enum ReloadResult: Int, MetricLabel, Sendable {
  /// What the file says is in force.
  case applied
  /// The file, or one that it names, is of no use; nothing changed.
  case invalid
  /// The file is good, but the system refused something; nothing changed.
  case failed

  /// The label's value.
  public var word: String {
    switch self {
    case .applied: "applied"
    case .invalid: "invalid"
    case .failed: "failed"
    }
  }
}

/// What came of an action on the admin plane.
public enum AdminActionResult: Int, MetricLabel, Sendable {
  /// It was done.
  case done
  /// Who asked may not do it, or did not prove who they are.
  case denied
  /// It made no sense, or its object was not there.
  case refused
  /// The edge could not do it.
  case failed

  /// What an answer's status says of the action.
  public init(status: Int) {
    switch status {
    case ..<400: self = .done
    case 401, 403, 429: self = .denied
    case ..<500: self = .refused
    default: self = .failed
    }
  }

  /// The label's value.
  public var word: String {
    switch self {
    case .done: "done"
    case .denied: "denied"
    case .refused: "refused"
    case .failed: "failed"
    }
  }
}
