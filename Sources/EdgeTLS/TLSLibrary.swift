import COpenSSL

/// The library that speaks TLS.
public enum TLSLibrary {
  /// Its name and version, such as `OpenSSL 3.0.17 1 Jul 2025`.
  public static var version: String {
    unsafe OpenSSL_version(OPENSSL_VERSION).map { unsafe String(cString: $0) } ?? "OpenSSL"
  }
}
