internal import Glibc

/// The program's own output.
public enum StandardStreams {
  /// Writes to standard error, all of it, waiting if need be.
  public static func writeError(_ text: String) {
    write(text, to: STDERR_FILENO)
  }

  /// Writes to standard output at once, where `print` may hold it back in a buffer.
  public static func writeOutput(_ text: String) {
    write(text, to: STDOUT_FILENO)
  }

  private static func write(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        retryingInterrupts { unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count) }
      }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }
}
