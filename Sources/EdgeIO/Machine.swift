internal import CSystem
internal import Glibc

/// Facts about the machine, and who we are on it.
public enum Machine {
  /// How many processors this process may run on; at least 1.
  public static var availableCores: Int {
    max(1, Int(csystem_available_cores()))
  }

  /// Lets each thread's heap keep 4 MiB of free memory at its end, instead of 128 KiB (mallopt(3)). Where connections come and go, the
  /// heap's end goes back and forth, and each time the kernel takes pages and gives others: up to two page faults a handshake,
  /// of a microsecond each or more, as the heap happens to lie. `returnFreeMemory` still gives back what is between.
  ///
  /// Call it before there are other threads.
  public static func keepFreeMemory() {
    csystem_keep_free_memory(4 << 20)
  }

  /// Gives memory that was freed back to the kernel (malloc_trim(3)). Takes some milliseconds in a large process, in which
  /// other threads may wait for memory: for quiet moments.
  public static func returnFreeMemory() {
    csystem_return_free_memory()
  }

  /// The effective user of this process.
  public static var ownUserID: UInt32 { geteuid() }
}

extension Socket {
  /// The user at the other end of a connected Unix socket, as the kernel recorded it; nil if it has no record.
  public static func peerUserID(ofDescriptor descriptor: Int32) -> UInt32? {
    var credentials = csystem_credentials()
    guard unsafe csystem_peer_credentials(descriptor, &credentials) == 0 else { return nil }
    return credentials.user
  }

  /// Whether bytes or the peer's end wait to be read; neither is taken.
  public borrowing func hasInput() -> Bool {
    var byte: UInt8 = 0
    let count = unsafe recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
    return count >= 0 || errno != EAGAIN
  }

  /// Another descriptor of the same socket, for a library that closes what it was given.
  ///
  /// - Throws: `SystemError`, such as EMFILE.
  public borrowing func duplicateDescriptor() throws(SystemError) -> Int32 {
    let duplicate = csystem_duplicate(descriptor)
    guard duplicate >= 0 else { throw SystemError.last("fcntl") }
    return duplicate
  }
}
