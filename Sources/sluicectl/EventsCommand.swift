import ArgumentParser
import ControlCore
import EdgeIO

/// `sluicectl events`.
struct EventsCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "events", abstract: "Shows what happens as it happens, a line for each event; Ctrl-C ends it.",
    discussion: """
      Kinds: opened, closed, denied, throttled, worker, reload, drain, rule. Who reads too slowly is told how many were lost.

      Example: sluicectl events --types denied,throttled --route chat
      """)

  @Option(help: ArgumentHelp("Only these kinds, with commas between them.", valueName: "kinds"))
  var types: String?
  @Option(help: ArgumentHelp("Only what concerns this user.", valueName: "name"))
  var user: String?
  @Option(help: ArgumentHelp("Only what concerns this address or block.", valueName: "cidr"))
  var ip: AddressArgument?
  @Option(help: ArgumentHelp("Only what concerns this route.", valueName: "name"))
  var route: String?
  @Option(help: ArgumentHelp("End after so many events.", valueName: "number"))
  var count: Int?
  @OptionGroup(title: "Which edge") var options: ControlOptions

  func validate() throws {
    guard count.map({ $0 > 0 }) ?? true else { throw ValidationError("--count must be at least 1") }
  }

  func perform(in session: Session) throws(ControlFailure) {
    var request = APIRequest(.get, "events", query: [("types", types), ("user", user), ("ip", ip?.text), ("route", route)])
    request.accept = "text/event-stream"
    var reader = EventStreamReader()
    var left = count ?? .max
    var failure: ControlFailure?
    try session.client.stream(request) { bytes in
      do throws(ControlFailure) {
        for event in try reader.read(bytes).prefix(left) {
          let line = session.output == .json ? event.json.terminalSafeText + "\n" : event.line(painter: session.painter)
          StandardStreams.writeOutput(line)
          left -= 1
        }
      } catch {
        failure = error
        return false
      }
      return left > 0
    }
    if let failure { throw failure }
  }
}
