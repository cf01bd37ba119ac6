import ArgumentParser
import ControlCore

/// `sluicectl status`.
struct StatusCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "The edge at a glance: what it carries, whom it refuses, what is about to end.")

  @OptionGroup(title: "Which edge") var options: ControlOptions

  func perform(in session: Session) throws(ControlFailure) {
    session.show(try session.ask(APIRequest(.get, "status")), sheet: Sheet.init(status:))
  }
}
