/// How much a log line matters.
public enum LogLevel: String, Comparable, CaseIterable, Sendable {
  /// For finding faults; off in production.
  case debug
  /// What happens in the ordinary course.
  case info
  /// Something an operator should know.
  case warning = "warn"
  /// Something failed that the edge cannot mend.
  case error

  /// Orders by weight.
  public static func < (lhs: LogLevel, rhs: LogLevel) -> Bool {
    lhs.weight < rhs.weight
  }

  /// How much it matters, from 0 on.
  public var weight: Int {
    switch self {
    case .debug: 0
    case .info: 1
    case .warning: 2
    case .error: 3
    }
  }

  /// The level as a line of text has it: as wide as any.
  var column: StaticString {
    switch self {
    case .debug: "DEBUG "
    case .info: "INFO  "
    case .warning: "WARN  "
    case .error: "ERROR "
    }
  }
}
