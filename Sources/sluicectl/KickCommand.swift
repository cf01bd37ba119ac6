import ArgumentParser
import ControlCore
import EdgeCore
import EdgeIO

/// `sluicectl kick`.
struct KickCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "kick", abstract: "Closes connections: one by its name, or all that are selected.",
    discussion: """
      With a selection it counts first, and asks before it closes. Clients may come back at once: `ban` keeps them out.

      Examples:

        sluicectl kick 000100000000002a
        sluicectl kick --user alice --reason spam
        sluicectl kick --worker /run/chat/3.sock --code 1012 --reason moved --rate 200/s --yes
      """)

  @Argument(help: "The connection's name.")
  var id: ConnectionArgument?
  @OptionGroup(title: "Or a selection") var selection: Selection
  @Flag(help: "Select all connections of the edge; needs the role admin.")
  var all = false
  @Option(help: ArgumentHelp("The close code; 4403 if none is given.", valueName: "code"))
  var code: UInt16?
  @Option(help: ArgumentHelp("The close reason, at most 123 bytes of UTF-8; `kicked` if none is given.", valueName: "text"))
  var reason: String?
  @Option(help: ArgumentHelp("How many to close in a second, such as 200/s; all at once if it is not given.", valueName: "rate"))
  var rate: RateArgument?
  @Flag(help: "Only count those that would be closed.")
  var dryRun = false
  @Flag(name: [.short, .long], help: "Do not ask.")
  var yes = false
  @OptionGroup(title: "Which edge") var options: ControlOptions

  func validate() throws {
    let isSelecting = !selection.words.isEmpty
    guard (id != nil ? 1 : 0) + (isSelecting ? 1 : 0) + (all ? 1 : 0) == 1 else {
      throw ValidationError("Say whom: the name of one connection, a selection such as --user, or --all")
    }
    guard id == nil || (rate == nil && !dryRun) else { throw ValidationError("--rate and --dry-run go with a selection") }
    guard (reason?.utf8.count ?? 0) <= 123 else { throw ValidationError("--reason has room for 123 bytes") }
  }

  func perform(in session: Session) throws(ControlFailure) {
    if let id { return try closeOne(id.id, session) }
    let selection = try selection.resolved(in: session)
    let preview = try session.ask(request(selection, dryRun: true))
    guard let matched = preview["matched"]?.integerValue, matched > 0 else { throw .nothingMatched("No connection is \(words).") }
    let connections = Figures.count(matched, "connection")
    if dryRun { return session.report(preview, "\(connections) would be closed: \(words).") }
    try session.confirm("Close \(connections), \(words)", isAnswered: yes)
    let answer = try session.ask(request(selection, dryRun: false))
    guard let job = answer["job"]?.stringValue else {
      return session.report(answer, "\(Figures.count(answer["closed"]?.integerValue ?? 0, "connection")) closed.")
    }
    try KickProgress(session: session, job: job).follow(from: answer)
  }

  private func closeOne(_ id: ConnectionID, _ session: Session) throws(ControlFailure) {
    let isDefault = code == nil && reason == nil
    let answer = try session.ask(
      APIRequest(.delete, "connections", id.description, body: isDefault ? .none : .object(present: end)))
    let reason = answer["reason"]?.stringValue.map { " \(TerminalText.safe($0))" } ?? ""
    session.report(answer, "\(id) closed with \(answer["code"]?.integerValue ?? 0)\(reason).")
  }

  private func request(_ selection: Selection, dryRun: Bool) -> APIRequest {
    APIRequest(
      .post, "connections", "disconnect",
      body: .object(
        present: [
          ("selector", .object(present: selection.members)), ("all", .flag(all)),
          ("rate_per_second", rate.map { .integer($0.perSecond) }), ("dry_run", .flag(dryRun)),
        ] + end))
  }

  private var end: [(name: String, value: JSON?)] {
    [("code", code.map { .integer(Int64($0)) }), ("reason", reason.map(JSON.string))]
  }

  private var words: String { all ? "of the whole edge" : selection.words }
}
