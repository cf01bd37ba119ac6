internal import CSystem
internal import Glibc

/// A log file: bytes go to its end, and it can be opened again under its name after a rotation.
///
/// Writing blocks on a slow disk, so it belongs on a thread of its own.
public struct AppendFile: ~Copyable, Sendable {
  /// The path; nil for standard error.
  public let path: String?
  private var descriptor: Int32

  /// Opens a file, making it (mode 0640, less the umask) if it does not exist.
  ///
  /// - Throws: `SystemError`; ENXIO for a pipe that nobody reads.
  public init(path: String) throws(SystemError) {
    self.path = path
    descriptor = try openForAppending(path)
  }

  private init(owning descriptor: Int32) {
    path = nil
    self.descriptor = descriptor
  }

  deinit {
    close(descriptor)
  }

  /// Standard error, as a log.
  public static func standardError() throws(SystemError) -> AppendFile {
    let descriptor = csystem_duplicate(STDERR_FILENO)
    guard descriptor >= 0 else { throw SystemError.last("fcntl") }
    return AppendFile(owning: descriptor)
  }

  /// Opens the path again, where a rotation has moved the file away. After a failure the old file stays in use.
  public mutating func reopen() throws(SystemError) {
    guard let path else { return }
    let fresh = try openForAppending(path)
    close(descriptor)
    descriptor = fresh
  }

  /// Writes bytes at the end of the file in one call.
  ///
  /// - Parameter bytes: not empty.
  /// - Returns: `bytes` with a smaller count, or `failed(errno: ENOSPC)`, when the disk is full; `wouldBlock` for a full pipe.
  public borrowing func write(_ bytes: Span<UInt8>) -> IOResult {
    unsafe bytes.withUnsafeBytes { buffer in
      ioResult(of: retryingInterrupts { unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count) })
    }
  }
}

private func openForAppending(_ path: String) throws(SystemError) -> Int32 {
  let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
  let descriptor = retryingInterrupts { unsafe open(path, flags, 0o640) }
  guard descriptor >= 0 else { throw SystemError.last("open") }
  return descriptor
}
