import ArgumentParser
import ControlCore
import EdgeCore

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
