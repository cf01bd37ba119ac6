internal import EdgeCore

/// The bytes between the data of chunks: the end of one and the header of the next (RFC 9112 §7.1).
struct ChunkFraming: Sendable {
  private var expected = Expected.size(0, digits: 0)
  /// In the whole body so far.
  private var extensionBytes = 0

  private enum Expected {
    case size(UInt64, digits: Int)
    case extensions(size: UInt64, hasSemicolon: Bool)
    case headerLineFeed(size: UInt64)
    case dataCarriageReturn
    case dataLineFeed
  }

  func after(_ byte: UInt8) throws(HTTPParseError) -> BodyState {
    switch expected {
    case .size(let size, let digits): return try afterSize(size, digits: digits, byte)
    case .extensions(let size, let hasSemicolon): return try afterExtension(size: size, hasSemicolon: hasSemicolon, byte)
    case .headerLineFeed(let size):
      guard byte == lineFeed else { throw .chunkHeader }
      return size == 0 ? .trailers(TrailerReader()) : .data(.chunk(left: size, expecting(.dataCarriageReturn)))
    case .dataCarriageReturn:
      guard byte == carriageReturn else { throw .chunkEnd }
      return .framing(expecting(.dataLineFeed))
    case .dataLineFeed:
      guard byte == lineFeed else { throw .chunkEnd }
      return .framing(expecting(.size(0, digits: 0)))
    }
  }

  /// A size goes on with a digit, ends with its line, or has an extension.
  private func afterSize(_ size: UInt64, digits: Int, _ byte: UInt8) throws(HTTPParseError) -> BodyState {
    if let digit = ASCII.hexDigit(byte) {
      guard digits < maxSizeDigits else { throw .contentTooLarge }
      return .framing(expecting(.size(size << 4 | UInt64(digit), digits: digits + 1)))
    }
    guard digits > 0 else { throw .chunkHeader }
    if byte == carriageReturn { return .framing(expecting(.headerLineFeed(size: size))) }
    return try afterExtension(size: size, hasSemicolon: false, byte)
  }

  /// An extension begins with a semicolon, maybe after white space, and is visible ASCII (RFC 9112 §7.1.1).
  private func afterExtension(size: UInt64, hasSemicolon: Bool, _ byte: UInt8) throws(HTTPParseError) -> BodyState {
    if byte == carriageReturn && hasSemicolon { return .framing(expecting(.headerLineFeed(size: size))) }
    let isSemicolon = byte == UInt8(ascii: ";")
    guard isSemicolon || ASCII.isBlank(byte) || hasSemicolon && ASCII.isVisible(byte) else { throw .chunkHeader }
    var next = expecting(.extensions(size: size, hasSemicolon: hasSemicolon || isSemicolon))
    next.extensionBytes += 1
    guard next.extensionBytes <= maxExtensionBytes else { throw .chunkExtensionTooLong }
    return .framing(next)
  }

  private func expecting(_ expected: Expected) -> ChunkFraming {
    var next = self
    next.expected = expected
    return next
  }
}

private let carriageReturn: UInt8 = 0x0d
private let lineFeed: UInt8 = 0x0a
/// 60 bits: no chunk comes near it, and no shift loses a bit.
private let maxSizeDigits = 15
/// For a whole body. Nobody uses extensions; without a bound each byte of data could cost a line of them.
private let maxExtensionBytes = 4096
