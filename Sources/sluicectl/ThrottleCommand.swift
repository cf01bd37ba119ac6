import ArgumentParser
import ControlCore
import EdgeCore

/// `sluicectl throttle`.
struct ThrottleCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "throttle", abstract: "Slows down one connection, a user or an address: what comes faster waits.",
    discussion: """
      A user or an address is throttled by a rule, which also holds for connections to come. One connection is throttled while it \
      lasts.

      Example: sluicectl throttle --user bob --messages 5/s --ttl 10m
      """)

  @Argument(help: "The name of one connection.")
  var id: ConnectionArgument?
  @OptionGroup(title: "Or all of") var subject: SubjectOptions
  @Option(help: ArgumentHelp("How many messages, such as 5/s.", valueName: "rate"))
  var messages: RateArgument?
  @Option(
    help: ArgumentHelp(
      "How many messages at once after a silence; as many as in a second if it is not given.", valueName: "number"))
  var burst: Int64?
  @Option(help: ArgumentHelp("How many bytes, such as 64KiB/s.", valueName: "rate"))
  var bytes: ByteRateArgument?
  @OptionGroup var rule: RuleOptions
  @OptionGroup(title: "Which edge") var options: ControlOptions

  func validate() throws {
    guard (id != nil) != subject.isGiven else { throw ValidationError("Say whom: the name of a connection, --user or --ip") }
    guard messages != nil || bytes != nil else { throw ValidationError("Say how much: --messages, --bytes or both") }
    guard burst.map({ $0 > 0 && messages != nil }) ?? true else { throw ValidationError("--burst goes with --messages") }
    guard id == nil || (rule.reason == nil && !rule.all) else {
      throw ValidationError("--reason and --all go with --user or --ip")
    }
  }

  func perform(in session: Session) throws(ControlFailure) {
    guard let id else { return try session.addRule("throttle", about: subject, rule, more: limits) }
    let body = JSON.object(present: limits + [("ttl_seconds", rule.ttl?.seconds)])
    let answer = try session.ask(APIRequest(.put, "connections", id.id.description, "throttle", body: body))
    session.report(answer, "\(id.id) is throttled\(rule.ttl.map { " for \($0.defaultValueDescription)" } ?? "").")
  }

  private var limits: [(name: String, value: JSON?)] {
    [
      ("messages_per_second", messages.map { .integer($0.perSecond) }), ("burst", burst.map(JSON.integer)),
      ("bytes_per_second", bytes.map { .integer($0.perSecond) }),
    ]
  }
}

/// `sluicectl unthrottle`.
struct UnthrottleCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "unthrottle", abstract: "Takes a throttle away: of one connection, or the rules about a user or an address.")

  @Argument(help: ArgumentHelp("The name of a connection, or of a rule.", valueName: "id"))
  var name: String?
  @OptionGroup(title: "Or all of") var subject: SubjectOptions
  @OptionGroup(title: "Which edge") var options: ControlOptions

  func validate() throws {
    guard (name != nil) != subject.isGiven else {
      throw ValidationError("Say whom: the name of a connection or a rule, --user or --ip")
    }
  }

  func perform(in session: Session) throws(ControlFailure) {
    guard let name, let id = ConnectionID(name) else { return try session.removeRules(.throttle, named: name, about: subject) }
    let answer = try session.ask(APIRequest(.delete, "connections", id.description, "throttle"))
    session.report(answer, "\(id) is not throttled any more.")
  }
}
