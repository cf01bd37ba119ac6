internal import CSystem
internal import Glibc

/// A system call that failed.
public struct SystemError: Error, Sendable, CustomStringConvertible {
  /// The error number, such as `EADDRINUSE`.
  public let errno: Int32
  /// What was tried, such as `bind`.
  public let operation: StaticString

  /// Makes an error from its number.
  public init(_ operation: StaticString, errno: Int32) {
    self.operation = operation
    self.errno = errno
  }

  /// Whether the process (EMFILE) or the machine (ENFILE) has no descriptor left.
  public var isOutOfDescriptors: Bool { errno == EMFILE || errno == ENFILE }

  /// Whether this process may not do it.
  public var isForbidden: Bool { errno == EACCES || errno == EPERM }

  /// Whether there is no such file, or no such directory on the way to it.
  public var isMissing: Bool { errno == ENOENT || errno == ENOTDIR }

  /// The operation and the system's words for the error: `bind: Address already in use`.
  public var description: String {
    guard let text = unsafe csystem_error_text(errno) else { return "\(operation): error \(errno)" }
    return unsafe "\(operation): \(String(cString: text))"
  }

  /// The error that the last failed system call of this thread left behind.
  static func last(_ operation: StaticString) -> SystemError {
    SystemError(operation, errno: Glibc.errno)
  }
}

/// The outcome of one nonblocking read or write.
public enum IOResult: Sendable, Equatable {
  /// So many bytes were moved; at least one.
  case bytes(Int)
  /// Nothing can be moved now; readiness will be reported.
  case wouldBlock
  /// The peer has ended its side in order; only a receive says so.
  case ended
  /// The connection is broken, for instance by ECONNRESET or EPIPE.
  case failed(errno: Int32)
}

/// Repeats a system call that a signal interrupted.
@inline(__always)
func retryingInterrupts<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}

/// Reads the outcome of a `recv`, `send` or `write`.
@inline(__always)
func ioResult(of count: Int) -> IOResult {
  if count > 0 { return .bytes(count) }
  if count == 0 { return .ended }
  return errno == EAGAIN ? .wouldBlock : .failed(errno: errno)
}
