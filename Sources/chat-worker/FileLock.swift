import EdgeIO
import Glibc

/// A lock on a file that one process holds at a time. The kernel releases it when the process ends, however it ends.
///
/// The file stays: removing it would let two processes lock two files of one name.
struct FileLock: ~Copyable {
  private let descriptor: Int32

  /// Takes the lock.
  ///
  /// - Returns: nil when another process holds it.
  /// - Throws: `SystemError` when the file can be neither opened nor made.
  static func attempt(path: String) throws(SystemError) -> FileLock? {
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw SystemError("open", errno: errno) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let error = errno
      close(descriptor)
      if error == EWOULDBLOCK || error == EINTR { return nil }
      throw SystemError("flock", errno: error)
    }
    return FileLock(descriptor: descriptor)
  }

  deinit {
    close(descriptor)
  }
}
