import COpenSSL
import COpenSSLMemory

/// The library that speaks TLS.
public enum TLSLibrary {
  /// Its name and version, such as `OpenSSL 3.0.17 1 Jul 2025`.
  public static var version: String {
    unsafe OpenSSL_version(OPENSSL_VERSION).map { unsafe String(cString: $0) } ?? "OpenSSL"
  }

  /// Lets each thread keep some of the memory that OpenSSL gives back, for what it asks for next. An echo then allocates nothing,
  /// which spares it 700 to 1,900 user instructions, and a full handshake 43,000 (`scripts/bench --parts instructions,checks`).
  ///
  /// Call it before anything else of this module; later it has no effect.
  public static func keepMemory() {
    openssl_memory_install()
  }
}
