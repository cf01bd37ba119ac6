import COpenSSL

/// Message digests.
public enum Digest {
  /// SHA-1 (20 bytes): for the opening handshake of RFC 6455 §4.2.2 only.
  public static func sha1(_ bytes: [UInt8]) -> [UInt8] { hash(bytes, with: .sha1) }

  /// SHA-256 (32 bytes).
  public static func sha256(_ bytes: [UInt8]) -> [UInt8] { hash(bytes, with: .sha256) }

  /// HMAC-SHA256 (RFC 2104; 32 bytes).
  public static func hmacSHA256(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
    hmac(bytes.span, key: key, algorithm: .sha256)
  }

  static func hmac(_ message: Span<UInt8>, key: [UInt8], algorithm: DigestAlgorithm) -> [UInt8] {
    var code = [UInt8](repeating: 0, count: algorithm.count)
    let isDone = unsafe message.withUnsafeBufferPointer { message in
      unsafe HMAC(algorithm.pointer, key, Int32(clamping: key.count), message.baseAddress, message.count, &code, nil) != nil
    }
    precondition(isDone, "a message authentication code fails only without memory")
    return code
  }

  private static func hash(_ bytes: [UInt8], with algorithm: DigestAlgorithm) -> [UInt8] {
    var digest: [UInt8] = []
    digest.append(addingCapacity: algorithm.count) { digest in
      unsafe digest.withUnsafeMutableBufferPointer { room, count in
        let result = unsafe EVP_Digest(bytes, bytes.count, room.baseAddress, nil, algorithm.pointer, nil)
        precondition(result == 1, "a digest fails only without memory")
        count = algorithm.count
      }
    }
    return digest
  }
}

/// A digest of OpenSSL's, looked up once: finding one by name takes longer than to use it.
@safe
final class DigestAlgorithm: Sendable {
  // OpenSSL never changes an algorithm that was fetched.
  nonisolated(unsafe) let pointer: OpaquePointer?
  /// The bytes of a digest.
  let count: Int

  private init(_ name: String, count: Int) {
    unsafe pointer = unsafe EVP_MD_fetch(nil, name, nil)
    self.count = count
  }

  static let sha1 = DigestAlgorithm("SHA1", count: 20)
  static let sha256 = DigestAlgorithm("SHA256", count: 32)
  static let sha384 = DigestAlgorithm("SHA384", count: 48)
  static let sha512 = DigestAlgorithm("SHA512", count: 64)
}
