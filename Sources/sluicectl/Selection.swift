import ArgumentParser
import ControlCore
import EdgeCore

/// Which connections a command is about.
struct Selection: ParsableArguments {
  @Option(help: ArgumentHelp("Only those of this user.", valueName: "name"))
  var user: String?
  @Option(help: ArgumentHelp("Only those from this address or block of addresses.", valueName: "cidr"))
  var ip: AddressArgument?
  @Option(help: ArgumentHelp("Only those of this route.", valueName: "name"))
  var route: String?
  @Option(help: ArgumentHelp("Only those on this worker: the path of its socket, or its name in `workers`.", valueName: "worker"))
  var worker: String?
  @Option(help: ArgumentHelp("Only those that a page of this origin opened.", valueName: "origin"))
  var origin: String?
  @Flag(help: "Only those that are throttled.")
  var throttled = false
  @Option(
    name: .customLong("idle"), help: ArgumentHelp("Only those without a message for longer than this.", valueName: "duration"))
  var idleLongerThan: DurationArgument?
  @Option(name: .customLong("age"), help: ArgumentHelp("Only those that are older than this.", valueName: "duration"))
  var olderThan: DurationArgument?

  /// The parameters of a query.
  var query: [(name: String, value: String?)] {
    [
      ("user", user), ("ip", ip?.text), ("route", route), ("worker", worker), ("origin", origin),
      ("throttled", throttled ? "true" : nil), ("idle_gt", idleLongerThan.map { Quantity.text($0.duration) }),
      ("age_gt", olderThan.map { Quantity.text($0.duration) }),
    ]
  }

  /// The members of a selector.
  var members: [(name: String, value: JSON?)] {
    [
      ("user", user.map(JSON.string)), ("ip", ip.map { .string($0.text) }), ("route", route.map(JSON.string)),
      ("worker", worker.map(JSON.string)), ("origin", origin.map(JSON.string)), ("throttled", .flag(throttled)),
      ("idle_gt", idleLongerThan.map { .string(Quantity.text($0.duration)) }),
      ("age_gt", olderThan.map { .string(Quantity.text($0.duration)) }),
    ]
  }

  /// The same with the worker's path, where it was named otherwise.
  func resolved(in session: Session) throws(ControlFailure) -> Selection {
    guard let worker, !worker.contains("/") else { return self }
    var resolved = self
    resolved.worker = try session.worker(named: worker)["path"]?.stringValue
    return resolved
  }

  /// What is selected, in words.
  var words: String {
    let parts = query.compactMap { pair in pair.value.map { "\(pair.name.replacingUnderscores) \(TerminalText.safe($0))" } }
    return parts.joined(separator: ", ")
  }
}

extension String {
  fileprivate var replacingUnderscores: String {
    self == "idle_gt" ? "idle for more than" : self == "age_gt" ? "older than" : self == "throttled" ? "throttled:" : self
  }
}
