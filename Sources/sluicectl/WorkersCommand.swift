import ArgumentParser
import ControlCore
import EdgeCore

/// `sluicectl workers`.
struct WorkersCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "workers", abstract: "Lists the workers: who is up, who takes clients, how many they have.")

  @OptionGroup(title: "Which edge") var options: ControlOptions

  func perform(in session: Session) throws(ControlFailure) {
    session.show(try session.ask(APIRequest(.get, "workers")), table: Listing.workers)
  }
}

/// `sluicectl worker NAME STATE`.
struct WorkerCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Gives a worker another state or weight.",
    discussion: """
      ready takes clients · drain takes no new ones · maint takes none, and those it has are closed with 1012.

      Example: empty a worker within a minute, before it is replaced:

        sluicectl worker chat-3 drain --close --spread 1m
      """)

  @Argument(help: "The worker, as `workers` lists it, or the path of its socket.")
  var name: String
  @Argument(help: "What it shall do from now on.")
  var state: WorkerState?
  @Option(help: ArgumentHelp("Its share beside the others of its pool, 1 to 100.", valueName: "number"))
  var weight: Int64?
  @Flag(help: "With drain: close the clients that it has, with 1012.")
  var close = false
  @Option(help: ArgumentHelp("Over how long its clients are closed.", valueName: "duration"))
  var spread: DurationArgument?
  @Flag(name: [.short, .long], help: "Do not ask.")
  var yes = false
  @OptionGroup(title: "Which edge") var options: ControlOptions

  func validate() throws {
    guard state != nil || weight != nil else { throw ValidationError("Give a state, --weight or both") }
    guard weight.map({ (1...100).contains($0) }) ?? true else { throw ValidationError("--weight must be 1 to 100") }
    guard !close || state == .drain else { throw ValidationError("--close goes with drain; maint closes anyway") }
  }

  func perform(in session: Session) throws(ControlFailure) {
    let worker = try session.worker(named: name)
    let shownName = Listing.workerName(worker)
    if close || state == .maint, let clients = worker["connections"]?.integerValue, clients > 0 {
      try session.confirm("Close \(Figures.count(clients, "connection")) of the worker \(shownName)", isAnswered: yes)
    }
    let answer = try session.ask(
      APIRequest(
        .patch, "workers", worker["path"]?.stringValue ?? name,
        body: .object(
          present: [
            ("state", state.map { .string($0.rawValue) }), ("weight", weight.map { .integer($0) }),
            ("close_clients", .flag(close)),
            ("spread_seconds", spread?.seconds),
          ])))
    let closing = answer["closing"]?.integerValue ?? 0
    session.report(
      answer,
      "\(shownName) is \(TerminalText.safe(answer["state"]?.stringValue ?? "")), weight \(answer["weight"]?.integerValue ?? 1)"
        + (closing > 0 ? "; \(Figures.count(closing, "connection")) will be closed." : "."))
  }
}

/// What an operator wants of a worker.
enum WorkerState: String, CaseIterable, ExpressibleByArgument {
  case ready
  case drain
  case maint
}

extension Session {
  /// The one worker that is meant: by the path of its socket, its name in the list, or its file without `.sock`.
  func worker(named name: String) throws(ControlFailure) -> JSON {
    let workers = try ask(APIRequest(.get, "workers"))["workers"]?.arrayValue ?? []
    let meant = workers.filter { worker in
      let path = worker["path"]?.stringValue
      return [path, worker["name"]?.stringValue, Listing.shortName(ofSocket: path)].contains(name)
    }
    guard let worker = meant.first else {
      throw .nothingMatched("There is no worker \(TerminalText.safe(name)); `workers` lists them.")
    }
    // A socket that several pools share is one worker in each.
    guard Set(meant.map { $0["path"]?.stringValue }).count == 1 else {
      throw .usage("Several workers are called \(TerminalText.safe(name)): give the path of its socket.")
    }
    return worker
  }
}
