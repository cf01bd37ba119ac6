internal import CSystem
internal import Glibc

/// What the kernel says about this process.
public struct ProcessFigures: Sendable {
  /// User and system time of all threads, in seconds.
  public let cpuSeconds: Double
  /// Resident memory in bytes.
  public let residentBytes: UInt64
  /// Virtual memory in bytes.
  public let virtualBytes: UInt64
  /// The soft limit of file descriptors.
  public let maxDescriptors: UInt64

  /// Asks the kernel; nil where it does not say. Reads a file of /proc: for a metric, not for each connection.
  public static func read() -> ProcessFigures? {
    var usage = rusage()
    guard unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0, let pages = memoryPages() else { return nil }
    let pageBytes = UInt64(max(1, sysconf(Int32(_SC_PAGESIZE))))
    var limit = csystem_limit()
    _ = unsafe csystem_descriptor_limit(&limit)
    return ProcessFigures(
      cpuSeconds: seconds(usage.ru_utime) + seconds(usage.ru_stime), residentBytes: pages.resident * pageBytes,
      virtualBytes: pages.total * pageBytes, maxDescriptors: limit.soft)
  }
}

/// The first two numbers of /proc/self/statm (proc(5)).
private func memoryPages() -> (total: UInt64, resident: UInt64)? {
  guard let text = try? FileSystem.readFile("/proc/self/statm", maxBytes: 4096) else { return nil }
  let numbers = text.split(separator: UInt8(ascii: " ")).prefix(2).compactMap { UInt64(String(decoding: $0, as: UTF8.self)) }
  return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
}

private func seconds(_ time: timeval) -> Double {
  Double(time.tv_sec) + Double(time.tv_usec) / 1e6
}
