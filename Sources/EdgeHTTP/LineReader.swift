/// Cuts a head into lines. A line that the input holds as a whole is left in it; of others the beginning is kept until the end comes.
/// Every byte is looked at once, however the input is split.
struct LineReader: Sendable {
  /// A whole line, without its CRLF.
  enum Line {
    /// It is that range of the input.
    case inInput(Range<Int>)
    /// It was put together of what several inputs held.
    case gathered([UInt8])
  }

  /// What earlier inputs held of the current line.
  private var kept: [UInt8] = []
  private var sawCarriageReturn = false
  private var sectionBytes = 0

  /// Whether any byte has come since the last `reset`.
  var hasBegun: Bool { sectionBytes > 0 }

  /// Takes bytes from `offset` on, to the end of the line if it is there.
  ///
  /// - Parameter tooLong: what to throw for a line beyond `maxLineBytes`.
  /// - Returns: the line, or nil if more is needed; call `nextLine` when it has been read.
  mutating func read(
    _ bytes: Span<UInt8>, from offset: inout Int, limits: HeadLimits, tooLong: HTTPParseError
  ) throws(HTTPParseError) -> Line? {
    let start = offset
    let textEnd = start + textBytes(in: bytes.extracting(droppingFirst: start), limits: limits)
    sectionBytes += textEnd - start
    offset = textEnd
    while offset < bytes.count {
      let byte = bytes[offset]
      offset += 1
      sectionBytes += 1
      guard sectionBytes <= limits.maxHeadBytes else { throw .headTooLarge }
      switch (sawCarriageReturn, byte) {
      case (true, 0x0a):
        guard !kept.isEmpty else { return .inInput(start..<textEnd) }
        kept.append(copying: bytes.extracting(start..<textEnd))
        return .gathered(kept)
      case (true, _), (false, 0x0a): throw .lineEnding
      case (false, 0x0d): sawCarriageReturn = true
      case (false, _): throw isText(byte) ? tooLong : .controlByte
      }
    }
    kept.append(copying: bytes.extracting(start..<textEnd))
    return nil
  }

  /// How many bytes come before the first that is no text, or one byte short of a limit's breach.
  private func textBytes(in bytes: Span<UInt8>, limits: HeadLimits) -> Int {
    guard !sawCarriageReturn else { return 0 }
    let room = max(0, min(limits.maxLineBytes - kept.count, limits.maxHeadBytes - sectionBytes))
    let bytes = bytes.extracting(first: room)
    var count = 0
    while bytes.count - count >= 8, isPlainText(word(of: bytes, at: count)) { count += 8 }
    while count < bytes.count, isText(bytes[count]) { count += 1 }
    return count
  }

  /// Begins the next line of the same head.
  mutating func nextLine() {
    kept = []
    sawCarriageReturn = false
  }

  /// Begins another head, and holds no memory until it comes.
  mutating func reset() {
    self = LineReader()
  }
}

/// Whether a byte may stand in a line: everything but controls, of which a tab is allowed.
func isText(_ byte: UInt8) -> Bool {
  byte >= 0x20 && byte != 0x7f || byte == 0x09
}

/// Whether each of eight bytes may stand in a line, and none is a tab.
private func isPlainText(_ word: UInt64) -> Bool {
  let belowSpace = (word &- 0x2020_2020_2020_2020) & ~word
  let others = word ^ 0x7f7f_7f7f_7f7f_7f7f
  let delete = (others &- 0x0101_0101_0101_0101) & ~others
  return (belowSpace | delete) & 0x8080_8080_8080_8080 == 0
}

/// Eight bytes as they lie in `text`. The caller has seen that `text` has them.
@inline(__always)
private func word(of text: Span<UInt8>, at index: Int) -> UInt64 {
  unsafe text.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
}

extension HTTPFields {
  /// Adds the field of one line, checked (RFC 9112 §5).
  mutating func add(line: Span<UInt8>, limits: HeadLimits) throws(HTTPParseError) {
    guard count < limits.maxFieldCount else { throw .tooManyFields }
    let place = try FieldPlace(parsing: line)
    add(checkedName: line.extracting(place.name), checkedValue: line.extracting(place.value))
  }
}
