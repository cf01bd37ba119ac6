internal import EdgeCore

/// Cuts a head into lines, keeping the unfinished one. Every byte is looked at once, however the input is split.
struct LineReader: Sendable {
  /// The bytes of the current line so far, without its CRLF.
  private(set) var line: [UInt8] = []
  private var sawCarriageReturn = false
  private var sectionBytes = 0

  /// Whether any byte has come since the last `reset`.
  var hasBegun: Bool { sectionBytes > 0 }

  /// Takes bytes from `offset` on, to the end of the line if it is there.
  ///
  /// - Parameter tooLong: what to throw for a line beyond `maxLineBytes`.
  /// - Returns: whether `line` is whole; call `nextLine` when it has been read.
  mutating func read(
    _ bytes: Span<UInt8>, from offset: inout Int, limits: HeadLimits, tooLong: HTTPParseError
  ) throws(HTTPParseError) -> Bool {
    while offset < bytes.count {
      takeText(bytes, from: &offset, limits: limits)
      guard offset < bytes.count else { return false }
      let byte = bytes[offset]
      offset += 1
      sectionBytes += 1
      guard sectionBytes <= limits.maxHeadBytes else { throw .headTooLarge }
      switch (sawCarriageReturn, byte) {
      case (true, 0x0a): return true
      case (true, _), (false, 0x0a): throw .lineEnding
      case (false, 0x0d): sawCarriageReturn = true
      case (false, _): throw isText(byte) ? tooLong : .controlByte
      }
    }
    return false
  }

  /// Takes text up to the first byte that is none, or one byte short of a limit's breach.
  private mutating func takeText(_ bytes: Span<UInt8>, from offset: inout Int, limits: HeadLimits) {
    guard !sawCarriageReturn else { return }
    let room = min(limits.maxLineBytes - line.count, limits.maxHeadBytes - sectionBytes)
    let end = offset + max(0, min(bytes.count - offset, room))
    let count = unsafe bytes.extracting(offset..<end).withUnsafeBufferPointer { bytes in
      let text = unsafe bytes.prefix(while: isText)
      unsafe line.append(contentsOf: text)
      return unsafe text.count
    }
    offset += count
    sectionBytes += count
  }

  /// Begins the next line of the same head.
  mutating func nextLine() {
    line.removeAll(keepingCapacity: true)
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

extension HTTPFields {
  /// Adds the field of one line, checked (RFC 9112 §5).
  mutating func add(line: [UInt8], limits: HeadLimits) throws(HTTPParseError) {
    guard count < limits.maxFieldCount else { throw .tooManyFields }
    add(try HTTPField(parsing: line))
  }
}

extension HTTPField {
  /// Reads one field line, whose bytes `LineReader` let through.
  init(parsing line: [UInt8]) throws(HTTPParseError) {
    guard let first = line.first, !ASCII.isBlank(first) else { throw .lineFolding }
    guard let colon = line.firstIndex(where: { !ASCII.isTokenCharacter($0) }) else { throw .fieldName }
    guard colon > 0, line[colon] == UInt8(ascii: ":") else { throw .fieldName }
    let name = String(decoding: line[..<colon], as: UTF8.self)
    self.init(checkedName: name, checkedValue: String(latin1: ASCII.trimmed(line[(colon + 1)...])))
  }
}
