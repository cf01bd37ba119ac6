public import EdgeCore
public import EdgePolicy
public import EdgeTelemetry

/// The edge as the admin plane sees it. Calls come on the admin plane's threads and may wait there for the reactors,
/// for a bounded time.
public protocol AdminBackend: ConnectionBackend {
  /// The text of a scrape.
  func metrics(as format: ExpositionFormat) throws(AdminBackendError) -> [UInt8]

  /// Whether the process works; false asks a supervisor to restart it.
  func isLive() -> Bool

  /// Whether new clients should be sent here.
  func readiness() -> AdminReadiness

  /// All rules in force, in any order.
  func rules() throws(AdminBackendError) -> [Rule]

  /// One rule; nil if there is none of that name.
  func rule(_ id: RuleID) throws(AdminBackendError) -> Rule?

  /// Puts a rule in force, for who is connected too, and waits until that is done and the disk has it.
  func add(_ order: RuleOrder) throws(AdminBackendError) -> RuleOutcome

  /// Takes a rule out of force.
  ///
  /// - Returns: whether that survives a restart; nil where there was no such rule.
  func removeRule(_ id: RuleID) throws(AdminBackendError) -> Bool?

  /// The edge at a glance.
  func status() throws(AdminBackendError) -> AdminStatus

  /// Every route, in the order of the configuration.
  func routes() throws(AdminBackendError) -> [AdminRoute]

  /// Every certificate of every listener.
  func certificates() throws(AdminBackendError) -> [AdminCertificate]

  /// The keys that tokens are checked with, by token check.
  func keys() throws(AdminBackendError) -> [AdminKeys]

  /// The least important level that the edge logs.
  func logLevel() -> LogLevel

  /// Logs from this level on, at once.
  func setLogLevel(_ level: LogLevel)

  /// The configuration in force.
  func configuration() throws(AdminBackendError) -> AdminConfiguration

  /// What would change if this were the configuration. Files that it names are not looked at.
  func validate(_ yaml: String) throws(AdminBackendError) -> ReloadOutcome

  /// Reads the configuration's file again, and puts it in force, all of it or nothing. Waits for that.
  func reload() throws(AdminBackendError) -> ReloadOutcome

  /// Every worker of every pool.
  func workers() throws(AdminBackendError) -> [AdminWorker]

  /// Does what an operator wants of the worker at a path, in every pool that has it.
  ///
  /// - Returns: nil where there is no such worker.
  func changeWorker(at path: String, _ order: WorkerOrder) throws(AdminBackendError) -> WorkerChange?

  /// Sends the edge's clients away. A drain that goes on stays as it is, but ends the process now if that is asked.
  ///
  /// - Returns: the drain, and how many clients are connected.
  func drain(_ order: DrainOrder) throws(AdminBackendError) -> (drain: AdminDrain, connections: Int)

  /// Takes a drain back, if there is one: the edge serves as before.
  ///
  /// - Returns: false where the process ends with it.
  func undrain() throws(AdminBackendError) -> Bool

  /// Where what happens is told.
  var events: EventHub { get }

  /// Lets whoever waits for this thread's core go first. Called in the midst of long answers.
  func giveWay()

  /// Keeps a line about a write that was asked for, refused ones included. Must not wait.
  func audit(_ record: AuditRecord)
}

/// Why the edge could not answer.
public enum AdminBackendError: Error, Sendable {
  /// A reactor did not answer in time: 503.
  case timeout
  /// The edge is going down: 503.
  case stopping
}

/// Whether new clients should be sent here.
public enum AdminReadiness: Equatable, Sendable {
  /// Yes.
  case ready
  /// No, for this reason, a word such as `draining`.
  case notReady(String)
}

/// A write that someone asked for.
public struct AuditRecord: Equatable, Sendable {
  /// Who asked; nil if they did not show who they are.
  public var who: AdminIdentity?
  /// Where the request came from.
  public var peer: AdminPeer
  /// What was asked for, such as `connection.disconnect`.
  public var action: String
  /// On what, such as the connection's identifier.
  public var target: String
  /// The answer's status: below 300 means it was done.
  public var status: Int
  /// What else the request said; null if nothing.
  public var detail: JSON
}
