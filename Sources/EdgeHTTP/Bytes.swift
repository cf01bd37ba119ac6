internal import EdgeCore

extension String {
  /// The text in which each byte is the scalar of its number.
  init(latin1 bytes: Span<UInt8>) {
    if bytes.isASCII {
      self.init(utf8: bytes)
    } else {
      self.init()
      for index in bytes.indices { unicodeScalars.append(Unicode.Scalar(bytes[index])) }
    }
  }
}

extension Span<UInt8> {
  /// Whether no byte is above 0x7f.
  var isASCII: Bool {
    var bits: UInt8 = 0
    for index in indices { bits |= self[index] }
    return bits < 0x80
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
    let utf8 = text.utf8.span
    if utf8.isASCII {
      append(copying: utf8)
    } else {
      append(contentsOf: text.unicodeScalars.lazy.map { UInt8(truncatingIfNeeded: $0.value) })
    }
  }

  /// Adds CRLF.
  mutating func appendLineEnding() {
    append(0x0d)
    append(0x0a)
  }
}
