internal import CSystem
internal import EdgeCore
internal import Glibc

/// An epoll instance and the batch of events it reported last.
@safe
struct Epoll: ~Copyable {
  private let descriptor: Int32
  private let batch: UnsafeMutablePointer<epoll_event>

  /// Opens an instance that watches nothing.
  init() throws(SystemError) {
    descriptor = csystem_epoll_create()
    guard descriptor >= 0 else { throw SystemError.last("epoll_create1") }
    unsafe batch = .allocate(capacity: maxEvents)
  }

  deinit {
    close(descriptor)
    unsafe batch.deallocate()
  }

  /// Watches `watched`; its events will bear `token`.
  func add(_ watched: Int32, _ interest: Interest, token: UInt64) throws(SystemError) {
    guard csystem_epoll_control(descriptor, EPOLL_CTL_ADD, watched, interest.events, token) == 0 else {
      throw SystemError.last("epoll_ctl")
    }
  }

  /// Changes what is watched. False if the descriptor was not watched.
  func modify(_ watched: Int32, _ interest: Interest, token: UInt64) -> Bool {
    csystem_epoll_control(descriptor, EPOLL_CTL_MOD, watched, interest.events, token) == 0
  }

  /// Stops watching. False if the descriptor was not watched.
  func remove(_ watched: Int32) -> Bool {
    csystem_epoll_control(descriptor, EPOLL_CTL_DEL, watched, 0, 0) == 0
  }

  /// Waits for events until `deadline`: not at all if that is past, for ever if it is nil.
  ///
  /// - Returns: how many events the batch now holds, at most 256; 0 also when a signal interrupted the wait.
  func wait(until deadline: Instant?, now: Instant) -> Int {
    max(0, Int(unsafe epoll_wait(descriptor, batch, Int32(maxEvents), milliseconds(until: deadline, now: now))))
  }

  /// An event of the batch.
  subscript(index: Int) -> (token: UInt64, readiness: Readiness) {
    precondition(index < maxEvents)
    return unsafe (batch[index].data.u64, Readiness(rawValue: batch[index].events))
  }
}

/// Rounded up, so that a wait does not end just before its deadline.
private func milliseconds(until deadline: Instant?, now: Instant) -> Int32 {
  guard let deadline else { return -1 }
  guard deadline > now else { return 0 }
  let wait = deadline.nanoseconds - now.nanoseconds
  return Int32(clamping: wait / 1_000_000 + (wait % 1_000_000 == 0 ? 0 : 1))
}

private let maxEvents = 256
