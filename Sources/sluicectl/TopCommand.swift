import ArgumentParser
import ControlCore
import EdgeCore
import EdgeIO

/// `sluicectl top`.
struct TopCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "top", abstract: "The edge as it runs: rates, refusals, workers, who talks most. q or Ctrl-C ends it.")

  @Option(help: ArgumentHelp("How often it looks.", valueName: "duration"))
  var interval = DurationArgument(.seconds(1))
  @Option(help: ArgumentHelp("How many views to show; without a terminal they come one under the other.", valueName: "number"))
  var count: Int?
  @Option(help: ArgumentHelp("How many talkers of each kind.", valueName: "number"))
  var talkers = 10
  @OptionGroup(title: "Which edge") var options: ControlOptions

  func validate() throws {
    guard (1...100).contains(talkers) else { throw ValidationError("--talkers must be 1 to 100") }
    guard options.output == .table else { throw ValidationError("top is for people; `status -o json` is for scripts") }
  }

  func perform(in session: Session) throws(ControlFailure) {
    var model = TopModel()
    try LiveView(session: session, interval: interval.duration, count: count).run { (columns, rows) throws(ControlFailure) in
      let status = try session.ask(APIRequest(.get, "status"))
      let workers = try session.ask(APIRequest(.get, "workers"))
      var talking: [JSON] = []
      for kind in ["user", "ip"] {
        if let answer = try session.askIfKnown(APIRequest(.get, "top", query: [("by", kind), ("limit", String(talkers))])) {
          talking.append(answer)
        }
      }
      model.take(status: status, talkers: talking, workers: workers, now: MonotonicClock.now())
      return model.frame(width: columns ?? widthWithoutTerminal, height: rows ?? .max, painter: session.painter)
    }
  }
}

extension Session {
  /// Asks for what an older edge may not have; nil then.
  fileprivate func askIfKnown(_ request: APIRequest) throws(ControlFailure) -> JSON? {
    do throws(ControlFailure) {
      return try ask(request)
    } catch {
      if case .unknown = error { return nil }
      throw error
    }
  }
}

private let widthWithoutTerminal = 132
