import ControlCore
import EdgeCore
import EdgeIO

/// Watches a kick that takes a while, and stops it when asked to.
struct KickProgress {
  let session: Session
  let job: String

  /// Waits for its end; Ctrl-C stops it.
  func follow(from answer: JSON) throws(ControlFailure) {
    let attention = try Attention(keys: false)
    var state = answer
    let line = ProgressLine()
    let began = MonotonicClock.now()
    while state["done"]?.boolValue != true {
      line.show(progress(of: state), "closed", since: began)
      if attention.wait(until: MonotonicClock.now() + .milliseconds(250)) == .stop {
        let stopped = try session.ask(APIRequest(.delete, "connections", "disconnect", job))
        line.finish()
        throw .failed("Stopped: \(progress(of: stopped).summary("closed")).")
      }
      state = try session.ask(APIRequest(.get, "connections", "disconnect", job))
    }
    line.show(progress(of: state), "closed", since: began)
    line.finish()
    session.report(state, "\(Figures.count(state["closed"]?.integerValue ?? 0, "connection")) closed.")
  }

  private func progress(of state: JSON) -> Progress {
    let done = (state["closed"]?.integerValue ?? 0) + (state["gone"]?.integerValue ?? 0)
    return Progress(done: done, of: state["matched"]?.integerValue ?? 0)
  }
}
