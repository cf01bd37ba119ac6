import ArgumentParser
import ControlCore
import EdgeCore

/// `sluicectl ban`.
struct BanCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "ban", abstract: "Keeps a user or an address out, and closes the connections they have with 4403.",
    discussion: """
      Examples:

        sluicectl ban --user mallory --ttl 24h --reason spam
        sluicectl ban --ip 192.0.2.0/24 --ttl 1h --yes
      """)

  @OptionGroup(title: "Whom") var subject: SubjectOptions
  @OptionGroup var rule: RuleOptions
  @OptionGroup(title: "Which edge") var options: ControlOptions

  func validate() throws {
    guard subject.isGiven else { throw ValidationError("Say whom: --user or --ip") }
  }

  func perform(in session: Session) throws(ControlFailure) {
    if let block = subject.ip, !block.isSingle {
      let page = try session.ask(APIRequest(.get, "connections", query: [("ip", block.text), ("limit", "1")]))
      let connected = Figures.count(page["matched"]?.integerValue ?? 0, "connection")
      try session.confirm("Ban \(block.text), which has \(connected) now", isAnswered: rule.yes)
    }
    try session.addRule("ban", about: subject, rule)
  }
}

/// `sluicectl unban`.
struct UnbanCommand: ControlCommand {
  static let configuration = CommandConfiguration(commandName: "unban", abstract: "Takes bans of a user or an address away.")

  @Argument(help: ArgumentHelp("The name of a rule, such as r17.", valueName: "rule"))
  var name: String?
  @OptionGroup(title: "Or all of") var subject: SubjectOptions
  @OptionGroup(title: "Which edge") var options: ControlOptions

  func validate() throws {
    guard (name != nil) != subject.isGiven else { throw ValidationError("Say which: the name of a rule, --user or --ip") }
  }

  func perform(in session: Session) throws(ControlFailure) {
    try session.removeRules(.ban, named: name, about: subject)
  }
}

/// `sluicectl bans`.
struct BansCommand: ControlCommand {
  static let configuration = CommandConfiguration(commandName: "bans", abstract: "Lists the bans in force.")

  @OptionGroup var subject: RuleSubjectFilter
  @OptionGroup(title: "Which edge") var options: ControlOptions

  func perform(in session: Session) throws(ControlFailure) {
    session.show(try session.rules(action: .ban, subject), table: Listing.rules)
  }
}
