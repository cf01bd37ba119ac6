import ArgumentParser
import ControlCore
import EdgeCore
import EdgeIO

/// Shows something again and again: on a terminal in its own screen, else one under the other.
struct LiveView {
  let session: Session
  let interval: Duration
  /// After how many views it ends by itself; nil is never.
  let count: Int?

  /// Runs until somebody ends it.
  ///
  /// - Parameter view: the lines for a terminal of such a size; asks the edge anew each time.
  func run(_ view: (_ columns: Int?, _ rows: Int?) throws(ControlFailure) -> [String]) throws(ControlFailure) {
    let attention = try Attention(keys: isOnTerminal)
    session.client.isCancelled = { attention.isStopRequested() }
    defer { session.client.isCancelled = { false } }
    var screen: Screen?
    defer { screen?.leave() }
    var shown = 0
    var last: [String] = []
    while true {
      let began = MonotonicClock.now()
      let size = isOnTerminal ? Terminal.outputSize() : nil
      do throws(ControlFailure) {
        last = try view(size?.columns, size?.rows)
        shown += 1
        show(last, note: nil, size?.rows, &screen)
      } catch {
        if attention.isStopRequested() { return }
        // An edge that restarts is waited for by who has seen it.
        guard case .unreachable(let reason) = error, shown > 0, screen != nil else { throw error }
        show(last, note: reason, size?.rows, &screen)
      }
      if let count, shown >= count { return }
      wait: while true {
        switch attention.wait(until: began + max(interval, shortestInterval)) {
        case .timeUp, .resized, .key(UInt8(ascii: " ")): break wait
        case .stop, .key(quitKey): return
        case .key: continue
        }
      }
    }
  }

  private func show(_ lines: [String], note: String?, _ rows: Int?, _ screen: inout Screen?) {
    guard let rows else { return StandardStreams.writeOutput(lines.joined(separator: "\n") + "\n\n") }
    if screen == nil { screen = Screen() }
    let shown =
      note.map { lines.prefix(max(0, rows - 1)) + [session.painter.paint(TerminalText.safe($0), .bad)] } ?? lines.prefix(rows)
    screen?.draw(Array(shown))
  }

  private var isOnTerminal: Bool {
    session.output == .table && Terminal.isTerminal(.output) && Terminal.isTerminal(.input)
  }
}

/// Whether and how a list is shown again and again.
struct WatchOptions: ParsableArguments {
  @Flag(name: .customLong("watch"), help: "Show it again and again; q or Ctrl-C ends it.")
  var isOn = false
  @Option(help: ArgumentHelp("How often, with --watch.", valueName: "duration"))
  var interval = DurationArgument(.seconds(2))
  @Option(help: ArgumentHelp("How many times, with --watch.", valueName: "number"))
  var count: Int?
}

private let shortestInterval = Duration.milliseconds(10)
