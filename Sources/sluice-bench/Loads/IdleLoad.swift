import ArgumentParser
import EdgeCore
import EdgeIO

/// `sluice-bench idle`: memory.
struct IdleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "idle",
    abstract: "Opens WebSockets, holds them, and says how much memory each takes in the proxy's process.")

  @OptionGroup(title: "Target") var target: TargetOptions
  @OptionGroup(title: "Output") var format: ReportFormat

  @Option(help: "How many WebSockets.")
  var connections = 5000

  @Option(help: "How many seconds to hold them before the memory is read.")
  var hold = 5

  func validate() throws {
    guard (1...20_000).contains(connections) else { throw ValidationError("--connections must be 1 to 20000") }
    guard (1...600).contains(hold) else { throw ValidationError("--hold must be 1 to 600") }
    guard target.serverPid != nil else { throw ValidationError("--server-pid is needed to know whose memory to read") }
  }

  func run() throws {
    try sluice_bench.run(IdleLoad(self), as: format)
  }
}

/// Holds WebSockets that say nothing.
final class IdleLoad: Load {
  private let options: IdleCommand
  private var before: ServerFigures?
  private var after: ServerFigures?
  private var heldSince: Instant?

  init(_ options: IdleCommand) throws {
    self.options = options
    try super.init(options.target)
  }

  override func start() {
    before = serverFigures()
    open(options.connections)
  }

  override func allOpened() {
    heldSince = reactor.now
  }

  override func tick() -> String {
    if let heldSince, reactor.now >= heldSince + .seconds(options.hold) {
      after = serverFigures()
      finish()
    }
    return "\(openedCount) open"
  }

  override func report() -> Report {
    var report = Report()
    report.add("connections", openedCount)
    guard let before, let after else { return report }
    let count = Double(openedCount)
    report.add("server_pss_before_bytes", before.memory.proportionalBytes)
    report.add("server_pss_after_bytes", after.memory.proportionalBytes)
    report.add(
      "server_pss_bytes_per_connection", Double(after.memory.proportionalBytes - before.memory.proportionalBytes) / count)
    report.add(
      "server_anonymous_bytes_per_connection", Double(after.memory.anonymousBytes - before.memory.anonymousBytes) / count)
    return report
  }
}
