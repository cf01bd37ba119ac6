internal import CSystem
internal import EdgeCore
internal import Glibc
internal import Synchronization

/// How many descriptors this process may have, and has.
public enum DescriptorLimit {
  /// Raises the soft limit to the hard one.
  ///
  /// - Returns: the limits then in force; the soft one counts.
  @discardableResult
  public static func raise() -> (soft: UInt64, hard: UInt64) {
    var limit = csystem_limit()
    guard unsafe csystem_descriptor_limit(&limit) == 0 else { return (1024, 1024) }
    let raised = csystem_limit(soft: limit.hard, hard: limit.hard)
    if limit.soft < limit.hard, csystem_set_descriptor_limit(raised) == 0 { limit = raised }
    return (limit.soft, limit.hard)
  }

  /// How many descriptors are open now. For a metric, not for each connection.
  ///
  /// From Linux 6.2 on the size of /proc/self/fd says it; before, it is 0. To list that directory takes 14 ms of CPU where 18,000 are open
  /// (`scripts/bench --parts scrape`).
  public static func openCount() -> Int {
    let size = FileSystem.status(of: "/proc/self/fd")?.size ?? 0
    return size > 0 ? Int(clamping: size) : countOneByOne()
  }

  /// Asks about every descriptor that there may be. A call for each costs less than one poll(2) for all, which looks at their sockets
  /// too.
  static func countOneByOne() -> Int {
    (0..<Int32(clamping: tableSize())).count { fcntl($0, F_GETFD) >= 0 }
  }

  /// The places of the kernel's table of this process's descriptors (`FDSize` of proc(5)), each open or not; at most the soft limit.
  private static func tableSize() -> UInt64 {
    var limit = csystem_limit()
    _ = unsafe csystem_descriptor_limit(&limit)
    let status = (try? FileSystem.readFile("/proc/self/status", maxBytes: 65_536)) ?? []
    let line = status.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: "FDSize:".utf8) } ?? []
    let digits = line.drop { !ASCII.isDigit($0) }
    return min(limit.soft, UInt64(String(decoding: digits, as: UTF8.self)) ?? 0)
  }
}

/// Descriptors that are kept for bad times, shared by all listeners of the process.
///
/// When accepting finds no descriptor left, a `Listener` pauses and releases the reserve, so that what serves clients who
/// are in already, and the admin plane, can go on opening sockets and files. Accepting starts again when the reserve
/// could be filled.
public final class DescriptorReserve: Sendable {
  private let capacity: Int
  private let held = Guarded<[Int32]>([])
  private let whole = Atomic(false)

  /// Makes a reserve and fills it.
  public init(count: Int) {
    capacity = count
    refill()
  }

  deinit {
    release()
  }

  /// Whether all of the reserve is held, so that accepting may go on.
  public var isWhole: Bool { whole.load(ordering: .relaxed) }

  /// Closes the spare descriptors, so that others can be opened.
  public func release() {
    held.withLock { held in
      whole.store(false, ordering: .relaxed)
      for descriptor in held { close(descriptor) }
      held = []
    }
  }

  /// Opens spare descriptors until the reserve is whole again.
  ///
  /// - Returns: whether it is; if not, those that were opened are closed again.
  @discardableResult
  public func refill() -> Bool {
    held.withLock { held in
      while held.count < capacity {
        let descriptor = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
          for descriptor in held { close(descriptor) }
          held = []
          return false
        }
        held.append(descriptor)
      }
      whole.store(true, ordering: .relaxed)
      return true
    }
  }
}
