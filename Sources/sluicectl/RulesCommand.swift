import ArgumentParser
import ControlCore
import EdgeCore

/// `sluicectl rules`.
struct RulesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rules", abstract: "Lists the rules in force, or takes some away.",
    subcommands: [ListRulesCommand.self, RemoveRulesCommand.self], defaultSubcommand: ListRulesCommand.self)
}

/// `sluicectl rules list`.
struct ListRulesCommand: ControlCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the rules in force.")

  @Option(help: "Only these: ban, throttle or revoke.")
  var action: RuleAction?
  @OptionGroup var subject: RuleSubjectFilter
  @OptionGroup(title: "Which edge") var options: ControlOptions

  func perform(in session: Session) throws(ControlFailure) {
    session.show(try session.rules(action: action, subject), table: Listing.rules)
  }
}

/// `sluicectl rules remove ID…`.
struct RemoveRulesCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Takes rules out of force, whatever they do.")

  @Argument(help: ArgumentHelp("The names of the rules, such as r17.", valueName: "rule"))
  var names: [String]
  @OptionGroup(title: "Which edge") var options: ControlOptions

  func perform(in session: Session) throws(ControlFailure) {
    try session.removeRules(names)
  }
}

enum RuleAction: String, CaseIterable, ExpressibleByArgument {
  case ban
  case throttle
  case revoke
}

/// Whom rules are about, in a list.
struct RuleSubjectFilter: ParsableArguments {
  @Option(help: ArgumentHelp("Only those about this user.", valueName: "name"))
  var user: String?
  @Option(help: ArgumentHelp("Only those that hold for this address, or for a part of this block.", valueName: "cidr"))
  var ip: AddressArgument?
}

extension Session {
  /// All rules that fit, on one page.
  func rules(action: RuleAction?, _ subject: RuleSubjectFilter) throws(ControlFailure) -> JSON {
    var entries: [JSON] = []
    var cursor: String?
    while true {
      let page = try ask(
        APIRequest(
          .get, "rules",
          query: [
            ("action", action?.rawValue), ("user", subject.user), ("ip", subject.ip?.text), ("limit", "1000"), ("cursor", cursor),
          ]))
      entries += page["rules"]?.arrayValue ?? []
      cursor = page["next_cursor"]?.stringValue
      guard cursor != nil else { return page.replacing("rules", with: .array(entries)) }
    }
  }

  /// Takes rules out of force, one after the other, and says so.
  func removeRules(_ names: [String]) throws(ControlFailure) {
    for name in names {
      let answer = try ask(APIRequest(.delete, "rules", name))
      let isKept = answer["persisted"]?.boolValue == false ? " It may come back with a restart." : ""
      report(answer, "\(TerminalText.safe(name)) is out of force.\(isKept)")
    }
  }
}
