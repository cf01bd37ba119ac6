/// The four bytes that a client's payload is mixed with, one after the other, over and over (RFC 6455 §5.3).
public struct MaskKey: Hashable, Sendable, BitwiseCopyable {
  /// The key; its lowest byte is the first on the wire.
  public let rawValue: UInt32

  /// Takes the key from an integer: four bytes of strong randomness, where it is for the wire.
  @inlinable
  public init(rawValue: UInt32) {
    self.rawValue = rawValue
  }

  /// Takes the key from its bytes, in the order of the wire.
  @inlinable
  public init(_ first: UInt8, _ second: UInt8, _ third: UInt8, _ fourth: UInt8) {
    rawValue = UInt32(first) | UInt32(second) << 8 | UInt32(third) << 16 | UInt32(fourth) << 24
  }

  /// Changes nothing: stands for "not masked" where a key is needed.
  public static let zero = MaskKey(rawValue: 0)

  /// The byte of the key that belongs to payload byte `index`.
  @inlinable
  public func byte(at index: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: rawValue &>> UInt32(truncatingIfNeeded: (index & 3) &* 8))
  }

  /// The key for the rest of a payload of which `count` bytes are done.
  @inlinable
  public func advanced(by count: Int) -> MaskKey {
    let bits = UInt32(truncatingIfNeeded: (count & 3) &* 8)
    return MaskKey(rawValue: rawValue &>> bits | rawValue &<< (32 &- bits))
  }

  /// Masks or unmasks `bytes` in place from `start` on, that byte with the key's first.
  public func apply(to bytes: inout MutableSpan<UInt8>, from start: Int = 0) {
    precondition(start >= 0 && start <= bytes.count)
    let wordKey = doubled.littleEndian
    unsafe bytes.withUnsafeMutableBytes { buffer in
      var index = start
      // Every access stays inside: eight bytes are left wherever a word is read and written.
      while buffer.count - index >= 8 {
        let word = unsafe buffer.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        unsafe buffer.storeBytes(of: word ^ wordKey, toByteOffset: index, as: UInt64.self)
        index += 8
      }
      while index < buffer.count {
        unsafe buffer[index] ^= byte(at: index &- start)
        index += 1
      }
    }
  }

  /// The key twice over, for eight bytes at a time; the lowest byte is for the first.
  var doubled: UInt64 { UInt64(rawValue) | UInt64(rawValue) << 32 }
}

extension Array where Element == UInt8 {
  /// Adds a copy of `bytes` at the end, masked or unmasked with `maskKey`.
  mutating func append(copying bytes: Span<UInt8>, maskKey: MaskKey = .zero) {
    let start = count
    unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    guard maskKey != .zero else { return }
    var all = mutableSpan
    maskKey.apply(to: &all, from: start)
  }
}
