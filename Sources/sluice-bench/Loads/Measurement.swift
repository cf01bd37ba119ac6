import EdgeCore
import EdgeIO

/// The measured part of a run.
struct Measurement {
  var latencies = Latencies()
  private(set) var began = Instant(nanoseconds: 0)
  private var ended = Instant(nanoseconds: 0)
  private var serverBefore: ServerFigures?
  private var serverAfter: ServerFigures?

  /// How many messages have come back.
  var count: Int { latencies.count }

  /// How long it took, in seconds.
  var seconds: Double { (ended - began).inSeconds }

  /// How many messages came back in a second.
  var perSecond: Double { Double(count) / seconds }

  /// Begins, now or at the moment that the first message was meant for.
  mutating func begin(_ load: Load, at moment: Instant? = nil) {
    serverBefore = load.serverFigures()
    began = moment ?? MonotonicClock.now()
  }

  mutating func end(_ load: Load) {
    ended = MonotonicClock.now()
    serverAfter = load.serverFigures()
  }

  /// Adds what it came to.
  ///
  /// - Parameter unit: what came back, in the singular.
  func add(to report: inout Report, unit: String, units: String) {
    report.add(units, count)
    report.add("seconds", seconds)
    report.add("\(units)_per_second", perSecond)
    report.add("latency", latencies)
    guard let before = serverBefore, let after = serverAfter else { return }
    let cost = (after.cpu - before.cpu).inSeconds
    report.add("server_cpu_us_per_\(unit)", cost * 1e6 / Double(count))
    report.add("server_user_share", (after.userSeconds - before.userSeconds) / cost)
    report.add("server_busy", cost / seconds)
  }
}
