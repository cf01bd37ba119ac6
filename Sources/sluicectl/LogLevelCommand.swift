import ArgumentParser
import ControlCore
import EdgeCore

/// `sluicectl log-level [LEVEL]`.
struct LogLevelCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "log-level", abstract: "Shows how much the edge logs, or changes it until the edge restarts.")

  @Argument(help: "The least level that is written.")
  var level: LogLevel?
  @OptionGroup(title: "Which edge") var options: ControlOptions

  func perform(in session: Session) throws(ControlFailure) {
    let request =
      level.map { APIRequest(.put, "log-level", body: ["level": .string($0.rawValue)]) } ?? APIRequest(.get, "log-level")
    session.show(try session.ask(request)) { "\(TerminalText.safe($0["level"]?.stringValue ?? ""))\n" }
  }
}

/// The levels of the edge's log.
enum LogLevel: String, CaseIterable, ExpressibleByArgument {
  case debug
  case info
  case warning = "warn"
  case error
}
