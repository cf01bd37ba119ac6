import ArgumentParser
import ControlCore
import EdgeCore
import EdgeIO

/// `sluicectl conns`.
struct ConnectionsCommand: ControlCommand {
  static let configuration = CommandConfiguration(
    commandName: "conns", abstract: "Lists WebSockets, open or closed.",
    discussion: """
      Example: the ten that sent most, of one network, looked at every two seconds:

        sluicectl conns --ip 192.0.2.0/24 --sort bytes --order desc --limit 10 --watch
      """)

  @OptionGroup var selection: Selection
  @Option(help: "Which states: the edge remembers the last 10,000 that closed.")
  var state = StateArgument.open
  @Option(help: "What comes first: opened, active, messages, bytes, queued or user.")
  var sort: SortArgument?
  @Option(help: "Whether the least or the greatest comes first.")
  var order: OrderArgument?
  @Option(help: "How many to show, at most 100000.")
  var limit = 100
  @OptionGroup var watching: WatchOptions
  @OptionGroup(title: "Which edge") var options: ControlOptions

  func validate() throws {
    guard (1...100_000).contains(limit) else { throw ValidationError("--limit must be 1 to 100000") }
  }

  func perform(in session: Session) throws(ControlFailure) {
    guard watching.isOn else {
      let page = try list(session)
      session.show(page) { page in
        Listing.connections(page).text(width: Terminal.outputSize()?.columns, painter: session.painter)
      }
      if session.output == .table, let rest = rest(of: page) { Session.note(rest) }
      return
    }
    try LiveView(session: session, interval: watching.interval.duration, count: watching.count).run {
      (columns, _) throws(ControlFailure) in
      let page = try list(session)
      guard session.output == .table else { return [page.terminalSafeText] }
      let table = Listing.connections(page).text(width: columns, painter: session.painter)
      return [rest(of: page) ?? count(of: page), ""] + table.split(separator: "\n").map(String.init)
    }
  }

  /// As many pages as it takes, as one.
  private func list(_ session: Session) throws(ControlFailure) -> JSON {
    let selection = try selection.resolved(in: session)
    var entries: [JSON] = []
    var cursor: String?
    while true {
      let wanted = min(limit - entries.count, maxPageEntries)
      let page = try session.ask(
        APIRequest(
          .get, "connections",
          query: selection.query + [
            ("state", state == .open ? nil : state.rawValue), ("sort", sort?.rawValue), ("order", order?.rawValue),
            ("limit", String(wanted)), ("cursor", cursor),
          ]))
      entries += page["connections"]?.arrayValue ?? []
      cursor = page["next_cursor"]?.stringValue
      guard cursor != nil, entries.count < limit else { return page.replacing("connections", with: .array(entries)) }
    }
  }

  private func count(of page: JSON) -> String {
    Figures.count(page["matched"]?.integerValue ?? 0, "connection")
  }

  private func rest(of page: JSON) -> String? {
    guard let matched = page["matched"]?.integerValue, let shown = page["connections"]?.arrayValue?.count, matched > shown else {
      return nil
    }
    return "\(Figures.count(Int64(shown))) of \(Figures.count(matched)) shown; --limit shows more."
  }
}

/// `sluicectl conn ID`.
struct ConnectionCommand: ControlCommand {
  static let configuration = CommandConfiguration(commandName: "conn", abstract: "Shows everything about one connection.")

  @Argument(help: "The connection's name, as `conns` and the logs (conn.id) have it.")
  var id: ConnectionArgument
  @OptionGroup(title: "Which edge") var options: ControlOptions

  func perform(in session: Session) throws(ControlFailure) {
    session.show(try session.ask(APIRequest(.get, "connections", id.id.description)), sheet: Sheet.init(connection:))
  }
}

enum StateArgument: String, CaseIterable, ExpressibleByArgument {
  case open
  case closed
  case any
}

enum SortArgument: String, CaseIterable, ExpressibleByArgument {
  case opened
  case active
  case messages
  case bytes
  case queued
  case user
}

enum OrderArgument: String, CaseIterable, ExpressibleByArgument {
  case asc
  case desc
}

/// What the API gives on one page.
private let maxPageEntries = 1_000
