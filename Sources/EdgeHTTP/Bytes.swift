internal import EdgeCore

extension String {
  /// The text in which each byte is the scalar of its number.
  init(latin1 bytes: ArraySlice<UInt8>) {
    if bytes.reduce(0, |) < 0x80 {
      self.init(decoding: bytes, as: UTF8.self)
    } else {
      self.init()
      unicodeScalars.append(contentsOf: bytes.lazy.map { Unicode.Scalar($0) })
    }
  }

  /// The text in which each byte is the scalar of its number.
  init(latin1 bytes: Span<UInt8>) {
    self.init(latin1: Array(copying: bytes)[...])
  }

  /// Copies a text.
  init(utf8: Span<UInt8>) {
    self = unsafe utf8.withUnsafeBufferPointer { bytes in unsafe String(decoding: bytes, as: UTF8.self) }
  }

  /// Whether the texts are equal when ASCII letters of either case are taken as the same.
  func equalsIgnoringCase(_ other: String) -> Bool {
    utf8.count == other.utf8.count && utf8.span.equalsIgnoringCase(other.utf8.span)
  }
}

extension Span<UInt8> {
  /// Whether the texts are equal when ASCII letters of either case are taken as the same.
  func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    for index in indices where ASCII.lowercased(self[index]) != ASCII.lowercased(other[index]) { return false }
    return true
  }
}

extension [UInt8] {
  /// Copies bytes.
  init(copying bytes: Span<UInt8>) {
    self = unsafe bytes.withUnsafeBufferPointer { bytes in unsafe Array(bytes) }
  }

  /// Adds a copy of bytes.
  mutating func append(copying bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBufferPointer { bytes in unsafe append(contentsOf: bytes) }
  }

  /// Adds one byte for each scalar of a Latin-1 text.
  mutating func append(latin1 text: String) {
    let isCopied = unsafe text.utf8.withContiguousStorageIfAvailable { utf8 in
      guard unsafe utf8.reduce(0, |) < 0x80 else { return false }
      unsafe append(contentsOf: utf8)
      return true
    }
    guard isCopied != true else { return }
    append(contentsOf: text.unicodeScalars.lazy.map { UInt8(truncatingIfNeeded: $0.value) })
  }

  /// Adds CRLF.
  mutating func appendLineEnding() {
    append(0x0d)
    append(0x0a)
  }
}
