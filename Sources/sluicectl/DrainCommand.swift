import ArgumentParser
import ControlCore
import EdgeCore
import EdgeIO

/// `sluicectl drain`.
struct DrainCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "drain", abstract: "Sends all clients away, spread over time, and takes no new ones.",
    discussion: """
      /readyz answers 503, new handshakes too, and each WebSocket gets Close 1012 at a random moment of the spread. The edge stays, \
      and `undrain` takes it back, unless --exit is given. What is not given here is as in the configuration (drain).
      """)

  @Option(help: ArgumentHelp("Over how long connections are closed.", valueName: "duration"))
  var spread: DurationArgument?
  @Option(
    help: ArgumentHelp("How long to wait before the first is closed, so that load balancers notice.", valueName: "duration"))
  var delay: DurationArgument?
  @Option(name: .customLong("within"), help: ArgumentHelp("After how long what is left is cut off.", valueName: "duration"))
  var limit: DurationArgument?
  @Flag(help: "End the edge's process when it is done.")
  var exit = false
  @Flag(help: "Wait until it is done, and show how far it is.")
  var wait = false
  @Flag(name: [.short, .long], help: "Do not ask.")
  var yes = false
  @OptionGroup(title: "Which edge") var options: ControlOptions

  func perform(in session: Session) throws(ControlFailure) {
    let status = try session.ask(APIRequest(.get, "status"))
    let connected = status["connections"]?.integerValue ?? 0
    try session.confirm("Send \(Figures.count(connected, "connection")) away\(exit ? " and end the edge" : "")", isAnswered: yes)
    let answer = try session.ask(
      APIRequest(
        .post, "drain",
        body: .object(
          present: [
            ("spread_seconds", spread?.seconds), ("delay_seconds", delay?.seconds), ("timeout_seconds", limit?.seconds),
            ("exit", .flag(exit)),
          ])))
    guard wait else {
      let end = answer["ends_at"]?.stringValue.map { ", until \(TimeText.full($0))" } ?? ""
      return session.report(
        answer, "The edge drains: \(Figures.count(answer["connections"]?.integerValue ?? connected, "connection"))\(end).")
    }
    try follow(answer, total: answer["connections"]?.integerValue ?? connected, session)
  }

  /// Waits for the end; Ctrl-C ends the wait alone.
  private func follow(_ answer: JSON, total: Int64, _ session: Session) throws(ControlFailure) {
    let attention = try Attention(keys: false)
    let line = ProgressLine()
    let end = answer["ends_at"]?.stringValue.flatMap { WallTime(rfc3339: $0) }
    defer { line.finish() }
    while true {
      let status: JSON
      do throws(ControlFailure) {
        status = try session.ask(APIRequest(.get, "status"))
      } catch {
        // An edge that was to end has done so.
        guard exit, case .unreachable = error else { throw error }
        return session.report(answer, "The edge has ended.")
      }
      let left = status["connections"]?.integerValue ?? 0
      line.show(Progress(done: max(0, total - left), of: total), "gone", since: nil)
      if status["draining"]?.boolValue == false {
        throw .failed("The drain was taken back; \(Figures.count(left, "connection")) left.")
      }
      if left == 0, !exit { return session.report(status, "The edge is empty.") }
      if let end, let now = status["now"]?.stringValue.flatMap({ WallTime(rfc3339: $0) }), now > end.adding(graceAfterEnd) {
        throw .failed("The drain should be over; \(Figures.count(left, "connection")) left.")
      }
      if attention.wait(until: MonotonicClock.now() + .milliseconds(500)) == .stop {
        throw .failed("The edge goes on draining; `undrain` takes it back.")
      }
    }
  }
}

/// `sluicectl undrain`.
struct UndrainCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "undrain", abstract: "Takes a drain back: the edge serves as before. Who was sent away is gone.")

  @OptionGroup(title: "Which edge") var options: ControlOptions

  func perform(in session: Session) throws(ControlFailure) {
    session.report(try session.ask(APIRequest(.post, "undrain", body: .object([]))), "The edge serves again.")
  }
}

/// The last client is told to go at the drain's end; the drain's own timeout, a minute unless it is set, cuts off who stays.
private let graceAfterEnd = Duration.seconds(60)
