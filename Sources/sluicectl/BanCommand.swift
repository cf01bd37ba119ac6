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

/// `sluicectl revoke`.
struct RevokeCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke", abstract: "Makes tokens worthless, and closes the connections that they opened with 4401.",
    discussion:
      "Of a user the tokens that were issued until now are meant, unless --issued-before says otherwise: a new login works.")

  @Option(help: ArgumentHelp("The tokens of this user.", valueName: "name"))
  var user: String?
  @Option(help: ArgumentHelp("The one token with this `jti`.", valueName: "jti"))
  var jti: String?
  @Option(help: ArgumentHelp("Those issued before this moment, such as 2026-01-31T12:00:00Z.", valueName: "time"))
  var issuedBefore: String?
  @Option(help: ArgumentHelp("Only tokens that this auth block checks.", valueName: "name"))
  var auth: String?
  @OptionGroup var rule: RuleOptions
  @OptionGroup(title: "Which edge") var options: ControlOptions

  func validate() throws {
    guard [user, jti, issuedBefore].contains(where: { $0 != nil }), jti == nil || (user == nil && issuedBefore == nil) else {
      throw ValidationError("Say which: --user, --jti or --issued-before; only --user and --issued-before go together")
    }
    guard issuedBefore.map({ WallTime(rfc3339: $0) != nil }) ?? true else {
      throw ValidationError("--issued-before must be like 2026-01-31T12:00:00Z")
    }
  }

  func perform(in session: Session) throws(ControlFailure) {
    if user == nil, jti == nil {
      try session.confirm("Revoke everybody's tokens issued before \(issuedBefore ?? "now")", isAnswered: rule.yes)
    }
    try session.addRule(
      "revoke", about: nil, rule,
      more: [
        ("user", user.map(JSON.string)), ("jti", jti.map(JSON.string)), ("issued_before", issuedBefore.map(JSON.string)),
        ("auth", auth.map(JSON.string)),
      ])
  }
}

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
