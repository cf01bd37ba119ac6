import EdgeCore
import EdgeIO

/// The worker's log: one JSON line on standard error for each thing that an operator may want to know, and none per message.
final class WorkerLog {
  private let output: AppendFile

  init() throws(SystemError) {
    output = try AppendFile.standardError()
  }

  /// Writes a line. What cannot be written at once is lost.
  func write(_ event: String, _ members: [JSON.Member] = []) {
    let time = JSON.Member(name: "timestamp", value: .string(WallClock.now().rfc3339))
    let line = JSON.object([time, JSON.Member(name: "event.name", value: .string(event))] + members).encoded()
    _ = output.write((line + [UInt8(ascii: "\n")]).span)
  }
}
