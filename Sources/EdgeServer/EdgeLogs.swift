import EdgeAdmin
import EdgeConfig
import EdgeIO
import EdgeTelemetry

/// The edge's logs: what operators read, what happens to connections, and who changed what. Without a file of their own the
/// latter two go where the first goes, standard error.
struct EdgeLogs: Sendable {
  let main: EdgeLog
  let access: EdgeLog
  let audit: EdgeLog

  /// - Throws: `StartError.configuration` when a file cannot be opened.
  init(_ configuration: Configuration) throws(StartError) {
    let log = configuration.log
    let level = LogLevel(log.level)
    let format = log.format == .json ? LogFormat.json : .text
    do {
      main = try EdgeLog(path: nil, level: level, format: format)
    } catch {
      throw .system("\(error)")
    }
    access = try log.access.map { (path) throws(StartError) in try Self.open(path, format: format) } ?? main
    audit = try configuration.admin.auditLog.map { (path) throws(StartError) in try Self.open(path, format: .json) } ?? main
  }

  /// Every log once.
  var all: [EdgeLog] {
    [main] + (access === main ? [] : [access]) + (audit === main ? [] : [audit])
  }

  private static func open(_ path: String, format: LogFormat) throws(StartError) -> EdgeLog {
    do {
      return try EdgeLog(path: path, level: .info, format: format)
    } catch {
      throw .configuration("cannot write the log \(path): \(error)")
    }
  }
}

extension LogLevel {
  fileprivate init(_ level: Configuration.LogLevel) {
    self =
      switch level {
      case .debug: .debug
      case .info: .info
      case .warning: .warning
      case .error: .error
      }
  }
}

/// The fields that only the edge's own records have.
extension LogField {
  /// A setting as the configuration has it.
  static let configured = LogField("configured")
  /// The same as it is in force.
  static let effective = LogField("effective")
  /// How many clients are connected.
  static let connections = LogField("connections")
  /// How many workers have come.
  static let workersAdded = LogField("workers.added")
  /// How many workers have gone.
  static let workersRemoved = LogField("workers.removed")
  /// The file or address that keys come from.
  static let keySource = LogField("keys.source")
  /// How many keys tokens are checked with.
  static let keysUsed = LogField("keys.used")
  /// How many keys of a set are for something else, or unfit.
  static let keysSkipped = LogField("keys.skipped")
  /// A file that could not be written.
  static let filePath = LogField("file.path")
  /// How many rules are in force.
  static let rules = LogField("rules")
  /// How many rules' time was over.
  static let rulesExpired = LogField("rules.expired")
  /// A rule's name, as the admin API takes it.
  static let ruleID = LogField("rule.id")
  /// What it does: `ban`, `throttle` or `revoke`.
  static let ruleAction = LogField("rule.action")
  /// What kind of subject it has: `user`, `network`, `token` or `auth`.
  static let ruleSubject = LogField("rule.subject")
  /// Who asked for a change.
  static let auditActor = LogField("audit.actor")
  /// What was asked for.
  static let auditAction = LogField("audit.action")
  /// On what.
  static let auditTarget = LogField("audit.target")
  /// What else was said.
  static let auditDetail = LogField("audit.detail")
}
