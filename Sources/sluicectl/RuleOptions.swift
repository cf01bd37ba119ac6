import ArgumentParser
import ControlCore
import EdgeCore

/// Whom a rule is about.
struct SubjectOptions: ParsableArguments {
  @Option(help: ArgumentHelp("This user.", valueName: "name"))
  var user: String?
  @Option(help: ArgumentHelp("This address, or this block of addresses.", valueName: "cidr"))
  var ip: AddressArgument?

  /// Whether one is named.
  var isGiven: Bool { user != nil || ip != nil }

  func validate() throws {
    guard user == nil || ip == nil else { throw ValidationError("A rule is about one subject: --user or --ip") }
  }
}

/// What goes with every new rule.
struct RuleOptions: ParsableArguments {
  @Option(help: ArgumentHelp("For how long, such as 10m; for good if it is not given.", valueName: "duration"))
  var ttl: DurationArgument?
  @Option(help: ArgumentHelp("Why, for those who look at the rules.", valueName: "text"))
  var reason: String?
  @Flag(help: "Mean it where it concerns a whole address family, everybody's tokens or yourself; needs the role admin.")
  var all = false
  @Flag(name: [.short, .long], help: "Do not ask.")
  var yes = false
}

extension Session {
  /// Puts a rule in force, and says what came of it.
  func addRule(
    _ action: String, about subject: SubjectOptions?, _ rule: RuleOptions, more: [(name: String, value: JSON?)] = []
  ) throws(ControlFailure) {
    let answer = try ask(
      APIRequest(
        .post, "rules",
        body: .object(
          present: [
            ("action", .string(action)), ("user", subject?.user.map(JSON.string)),
            ("cidr", subject?.ip.map { .string($0.block.description) }),
          ] + more + [
            ("ttl_seconds", rule.ttl?.seconds), ("reason", rule.reason.map(JSON.string)), ("all", .flag(rule.all)),
          ])))
    var said = "Rule \(TerminalText.safe(answer["rule"]?["id"]?.stringValue ?? "")) is in force"
    if let closed = answer["closed"]?.integerValue, closed > 0 {
      said += ", and has closed \(Figures.count(closed, "connection"))"
    }
    report(answer, said + ".")
    if answer["persisted"]?.boolValue == false { Session.note("The rule is not on disk: it ends with the edge (see its log).") }
  }

  /// Takes rules of a kind out of force: the one that is named, or those about just this subject.
  func removeRules(_ action: RuleAction, named name: String?, about subject: SubjectOptions) throws(ControlFailure) {
    if let name { return try removeRules([name]) }
    var filter = RuleSubjectFilter()
    (filter.user, filter.ip) = (subject.user, subject.ip)
    let rules = try rules(action: action, filter)["rules"]?.arrayValue ?? []
    // The list also has the rules about wider and narrower blocks.
    let meant = rules.filter { rule in subject.ip.map { rule["cidr"]?.stringValue == $0.block.description } ?? true }
    guard !meant.isEmpty else {
      let others = rules.compactMap { $0["id"]?.stringValue }.prefix(5).joined(separator: ", ")
      let hint = others.isEmpty ? "" : " Others hold for it: \(TerminalText.safe(others))."
      throw .nothingMatched("There is no such \(action.rawValue).\(hint)")
    }
    try removeRules(meant.compactMap { $0["id"]?.stringValue })
  }
}
