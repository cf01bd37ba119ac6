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

  /// How many descriptors are open now. Reads a directory of /proc: for a metric, not for each connection.
  public static func openCount() -> Int {
    guard let directory = unsafe opendir("/proc/self/fd") else { return 0 }
    defer { unsafe closedir(directory) }
    var count = 0
    while unsafe readdir(directory) != nil { count += 1 }
    // Not counted: ".", "..", and the directory itself.
    return max(0, count - 3)
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
