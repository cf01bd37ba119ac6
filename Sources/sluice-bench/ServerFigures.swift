import EdgeCore
import EdgeIO

/// What a process has used, as the kernel tells (proc(5)).
struct ServerFigures {
  /// Time on a processor, user and system, of all threads.
  let cpu: Duration
  /// The user part of it, in seconds, to within a clock tick.
  let userSeconds: Double
  let memory: ServerMemory

  /// Reads the figures of a process that runs.
  ///
  /// - Throws: `LoadFailure.server` when it does not, or is somebody else's.
  init(process: Int32) throws(LoadFailure) {
    let directory = "/proc/\(process)"
    guard let ticks = ProcessTicks(stat: try Self.text("\(directory)/stat")),
      let memory = ServerMemory(rollup: try Self.text("\(directory)/smaps_rollup"))
    else {
      throw .server("its figures cannot be read")
    }
    self.memory = memory
    userSeconds = Double(ticks.user) / ticksPerSecond
    let threads = FileSystem.glob("\(directory)/task/*/schedstat").map(\.path)
    var nanoseconds: UInt64 = 0
    for thread in threads { nanoseconds += try Self.text(thread).split(separator: " ").first.flatMap { UInt64($0) } ?? 0 }
    // A kernel without scheduler statistics has the ticks.
    cpu =
      nanoseconds > 0 ? .nanoseconds(Int64(clamping: nanoseconds)) : .seconds(Double(ticks.user + ticks.system) / ticksPerSecond)
  }

  private static func text(_ path: String) throws(LoadFailure) -> String {
    guard let bytes = try? FileSystem.readFile(path, maxBytes: 1 << 16) else { throw .server("\(path) cannot be read") }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// The clock ticks in `/proc/PID/stat`.
struct ProcessTicks {
  let user: UInt64
  let system: UInt64

  /// Reads the line; nil if it is not one.
  init?(stat: String) {
    // The name, in parentheses, may hold anything, parentheses too; the state and ten numbers stand before the times.
    guard let nameEnd = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[stat.index(after: nameEnd)...].split(separator: " ")
    guard fields.count > 12, let user = UInt64(fields[11]), let system = UInt64(fields[12]) else { return nil }
    self.user = user
    self.system = system
  }
}

/// The sums in `/proc/PID/smaps_rollup`.
struct ServerMemory {
  /// Resident memory, that which is shared with other processes divided among them, in bytes.
  let proportionalBytes: Int
  /// That part of it which is no file's: heap and stacks.
  let anonymousBytes: Int

  /// Reads the lines; nil if one is missing.
  init?(rollup: String) {
    func bytes(_ name: String) -> Int? {
      guard let line = rollup.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else { return nil }
      return line.dropFirst(name.count).split(separator: " ").first.flatMap { Int($0) }.map { $0 * 1024 }
    }
    guard let proportional = bytes("Pss:"), let anonymous = bytes("Pss_Anon:") else { return nil }
    proportionalBytes = proportional
    anonymousBytes = anonymous
  }
}

/// USER_HZ, which Linux shows to every program.
private let ticksPerSecond = 100.0
