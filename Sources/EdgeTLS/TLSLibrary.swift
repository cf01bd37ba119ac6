import COpenSSL
import COpenSSLMemory

/// The library that speaks TLS.
public enum TLSLibrary {
  /// Its name and version, such as `OpenSSL 3.0.17 1 Jul 2025`.
  public static var version: String {
    unsafe OpenSSL_version(OPENSSL_VERSION).map { unsafe String(cString: $0) } ?? "OpenSSL"
  }

  /// Lets each thread keep some of the memory that OpenSSL gives back, for what it asks for next, and packs small blocks closer
  /// than malloc does. An echo then allocates nothing, which spares it 700 to 1,900 user instructions, a full handshake is spared
  /// some 80,000, and an idle connection takes 300 bytes less (`scripts/bench --parts instructions,checks,memory`).
  ///
  /// Call it before anything else of this module; later it has no effect.
  public static func keepMemory() {
    openssl_memory_install()
  }

  /// Gives the kernel the pages of that memory on which nothing is in use. Takes some milliseconds in a large process, in which
  /// other threads wait for microseconds at most: for quiet moments.
  public static func returnFreeMemory() {
    openssl_memory_trim()
  }
}
