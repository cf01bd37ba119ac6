import ArgumentParser
import EdgeCore
import EdgeIO

/// What a run came to: names with their unit, and values.
struct Report {
  private var members: [JSON.Member] = []

  mutating func add(_ name: String, _ value: Int) {
    members.append(JSON.Member(name: name, value: .integer(Int64(value))))
  }

  mutating func add(_ name: String, _ value: Double) {
    members.append(JSON.Member(name: name, value: .number((value * 1000).rounded() / 1000)))
  }

  mutating func add(_ name: String, _ value: String) {
    members.append(JSON.Member(name: name, value: .string(value)))
  }

  mutating func add(_ name: String, _ value: Bool) {
    members.append(JSON.Member(name: name, value: .bool(value)))
  }

  /// What part of the durations took no longer than so many microseconds.
  mutating func add(_ name: String, _ latencies: Latencies) {
    for (part, percent) in [("p50", 50), ("p90", 90), ("p99", 99), ("p999", 99.9), ("max", 100)] {
      add("\(name)_\(part)_us", latencies.percentile(percent).inSeconds * 1e6)
    }
  }

  /// One line of JSON.
  var json: String { String(decoding: JSON.object(members).encoded(), as: UTF8.self) }

  /// One line for each value.
  var table: String {
    let width = members.map(\.name.count).max() ?? 0
    return members.map { member in
      let padding = String(repeating: " ", count: width - member.name.count)
      let value = member.value.stringValue ?? String(decoding: member.value.encoded(), as: UTF8.self)
      return "\(member.name)\(padding)  \(value)"
    }.joined(separator: "\n")
  }
}

/// How a report is printed.
struct ReportFormat: ParsableArguments {
  @Flag(help: "One line of JSON instead of a table.")
  var json = false

  func write(_ report: Report) {
    StandardStreams.writeOutput((json ? report.json : report.table) + "\n")
  }
}
