extension String {
  /// Copies a text.
  @inlinable
  public init(utf8: Span<UInt8>) {
    self = unsafe utf8.withUnsafeBufferPointer { bytes in unsafe String(decoding: bytes, as: UTF8.self) }
  }
}

extension Span<UInt8> {
  /// The first byte, if there is one.
  @inlinable
  public var first: UInt8? { isEmpty ? nil : self[0] }

  /// Where the first such byte is.
  @inlinable
  public func firstIndex(of byte: UInt8) -> Int? {
    for index in indices where self[index] == byte { return index }
    return nil
  }

  /// Whether the bytes are the same.
  @inlinable
  public func equals(_ other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    for index in indices where self[index] != other[index] { return false }
    return true
  }
}
