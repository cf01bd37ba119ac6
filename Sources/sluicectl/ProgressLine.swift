import ControlCore
import EdgeCore
import EdgeIO

/// A line at the bottom of the terminal that is written over; nothing where there is no terminal.
struct ProgressLine {
  private let isShown = Terminal.isTerminal(.error)

  /// Writes the line.
  ///
  /// - Parameter began: when it began, to say how long it will take; nil where the pace tells nothing.
  func show(_ progress: Progress, _ verb: String, since began: Instant?) {
    guard isShown else { return }
    let elapsed = began.map { (MonotonicClock.now() - $0).inSeconds } ?? 0
    StandardStreams.writeError("\r\(progress.line(verb, perSecond: elapsed > 0 ? Double(progress.done) / elapsed : nil))\u{1b}[K")
  }

  /// Leaves the line as it is.
  func finish() {
    if isShown { StandardStreams.writeError("\n") }
  }
}
