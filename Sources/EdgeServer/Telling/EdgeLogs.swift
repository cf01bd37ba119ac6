import EdgeAdmin
import EdgeConfig
import EdgeIO
import EdgeTelemetry
import Synchronization

/// The edge's logs: what operators read, what happens to connections, and who changed what. Without a file of their own the
/// latter two go where the first goes, standard error.
final class EdgeLogs: Sendable {
  let main: EdgeLog
  let access: EdgeLog
  let audit: EdgeLog
  /// What outputs had dropped that are in use no more.
  private let droppedBefore = Atomic<UInt64>(0)

  /// - Throws: `StartError.configuration` when a file cannot be opened.
  init(_ configuration: Configuration) throws(StartError) {
    let plan = try LogPlan(configuration, keeping: [])
    main = EdgeLog(to: plan.main, level: .info)
    access = EdgeLog(to: plan.access, level: .info)
    audit = EdgeLog(to: plan.audit, level: .info)
    level = LogLevel(configuration.log.level)
  }

  /// The least important level that is written, but for logs with a file of their own, which have everything from `info` on.
  var level: LogLevel {
    get { main.level }
    set {
      main.level = newValue
      for log in [access, audit] { log.level = log.output === main.output ? newValue : .info }
    }
  }

  /// Every output once.
  private var outputs: [LogOutput] { LogPlan(main: main.output, access: access.output, audit: audit.output).outputs }

  /// Lines that no output took, since the start.
  var droppedRecords: UInt64 {
    outputs.reduce(droppedBefore.load(ordering: .relaxed)) { $0 + $1.droppedRecords }
  }

  /// Opens every file again under its name, after a rotation.
  func reopen() {
    for output in outputs { output.reopen() }
  }

  /// Writes what waits, and ends the threads.
  func finish() {
    for output in outputs { output.finish() }
  }

  /// Where the lines are to go that another configuration asks for; files are opened, and nothing is written there yet.
  func plan(for configuration: Configuration) throws(StartError) -> LogPlan {
    try LogPlan(configuration, keeping: outputs)
  }

  /// Ends the outputs that were made for a plan that nobody wants any more.
  func discard(_ plan: LogPlan) {
    let used = outputs
    for output in plan.outputs where !used.contains(where: { $0 === output }) { output.finish() }
  }

  /// Writes what comes from now on where `plan` says; ends the outputs that nobody needs any more.
  func adopt(_ plan: LogPlan, level: LogLevel) {
    let before = outputs
    main.redirect(to: plan.main)
    access.redirect(to: plan.access)
    audit.redirect(to: plan.audit)
    self.level = level
    for output in before where !plan.outputs.contains(where: { $0 === output }) {
      output.finish()
      droppedBefore.add(output.droppedRecords, ordering: .relaxed)
    }
  }
}

/// Where the lines of each log go.
struct LogPlan {
  let main: LogOutput
  let access: LogOutput
  let audit: LogOutput

  /// Every output once.
  var outputs: [LogOutput] {
    [main] + (access === main ? [] : [access]) + (audit === main || audit === access ? [] : [audit])
  }

  init(main: LogOutput, access: LogOutput, audit: LogOutput) {
    self.main = main
    self.access = access
    self.audit = audit
  }

  /// - Parameter outputs: what is in use; where path and format are the same, it stays in use.
  /// - Throws: `StartError.configuration` when a file cannot be opened.
  fileprivate init(_ configuration: Configuration, keeping outputs: [LogOutput]) throws(StartError) {
    let log = configuration.log
    let format = log.format == .json ? LogFormat.json : .text
    func open(_ path: String?, _ format: LogFormat) throws(StartError) -> LogOutput {
      if let output = outputs.first(where: { $0.path == path && $0.format == format }) { return output }
      do {
        return try LogOutput(path: path, format: format)
      } catch {
        throw path.map { .configuration("cannot write the log \($0): \(error)") } ?? .system("\(error)")
      }
    }
    main = try open(nil, format)
    access = if let path = log.access { try open(path, format) } else { main }
    audit = if let path = configuration.admin.auditLog { try open(path, .json) } else { main }
  }

}

extension LogLevel {
  init(_ level: Configuration.LogLevel) {
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
  /// By how many seconds the clock was set.
  static let clockStep = LogField("clock.step_s")
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
