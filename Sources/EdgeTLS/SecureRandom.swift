import COpenSSL

/// Random bytes fit for keys, nonces and masks. A system without randomness stops the process: nothing would be safe.
public enum SecureRandom {
  /// Fills the buffer.
  public static func fill(_ buffer: UnsafeMutableRawBufferPointer) {
    guard let base = buffer.baseAddress, buffer.count > 0 else { return }
    let result = unsafe RAND_bytes_ex(nil, base.assumingMemoryBound(to: UInt8.self), buffer.count, 0)
    precondition(result == 1, "the system has no randomness")
  }

  /// That many bytes.
  public static func bytes(count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    unsafe bytes.withUnsafeMutableBytes { unsafe fill($0) }
    return bytes
  }

  /// Sixty-four bits.
  public static func word() -> UInt64 {
    var word: UInt64 = 0
    unsafe withUnsafeMutableBytes(of: &word) { unsafe fill($0) }
    return word
  }
}

/// Secure random numbers for one thread's nonces and identifiers, drawn many at a time: each call of the generator costs 6,600
/// user instructions and a system call, and each handshake wants eleven numbers. No byte is handed out twice.
public struct RandomSupply: ~Copyable {
  private var words: [UInt64] = []

  /// Makes a supply that draws when it is first asked.
  public init() {}

  /// Sixty-four bits.
  public mutating func word() -> UInt64 {
    if words.isEmpty { refill() }
    return words.removeLast()
  }

  /// Fills whole words.
  @unsafe
  mutating func fill(_ bytes: UnsafeMutableRawBufferPointer) {
    precondition(bytes.count.isMultiple(of: MemoryLayout<UInt64>.size))
    for offset in stride(from: 0, to: bytes.count, by: MemoryLayout<UInt64>.size) {
      unsafe bytes.storeBytes(of: word(), toByteOffset: offset, as: UInt64.self)
    }
  }

  private mutating func refill() {
    words = [UInt64](repeating: 0, count: suppliedWords)
    unsafe words.withUnsafeMutableBytes { unsafe SecureRandom.fill($0) }
  }
}

private let suppliedWords = 256

/// Whether two byte strings are equal, in time that depends on their lengths only.
public func constantTimeEquals(_ lhs: [UInt8], _ rhs: [UInt8]) -> Bool {
  guard lhs.count == rhs.count else { return false }
  return unsafe lhs.isEmpty || CRYPTO_memcmp(lhs, rhs, lhs.count) == 0
}
