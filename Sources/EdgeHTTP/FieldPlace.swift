internal import EdgeCore

/// Where in a text the name and the value of one field are.
struct FieldPlace: Hashable, Sendable {
  let name: Range<Int>
  let value: Range<Int>

  init(name: Range<Int>, value: Range<Int>) {
    self.name = name
    self.value = value
  }

  /// Reads a line without its end, whose bytes `LineReader` let through (RFC 9112 §5).
  init(parsing line: Span<UInt8>) throws(HTTPParseError) {
    guard !line.isEmpty, !ASCII.isBlank(line[0]) else { throw .lineFolding }
    var colon = 0
    while colon < line.count, ASCII.isTokenCharacter(line[colon]) { colon += 1 }
    guard colon > 0, colon < line.count, line[colon] == UInt8(ascii: ":") else { throw .fieldName }
    name = 0..<colon
    value = trimmed(colon + 1..<line.count, of: line)
  }

  /// The line that holds both, with its end, where the value is the last of it.
  var line: Range<Int> { name.lowerBound..<value.upperBound + 2 }

  /// The same in a text in which everything stands that much further behind.
  func moved(by distance: Int) -> FieldPlace {
    FieldPlace(
      name: name.lowerBound + distance..<name.upperBound + distance,
      value: value.lowerBound + distance..<value.upperBound + distance)
  }
}

/// What is left of a range of `text` without white space at its ends.
func trimmed(_ range: Range<Int>, of text: Span<UInt8>) -> Range<Int> {
  var (start, end) = (range.lowerBound, range.upperBound)
  while start < end, ASCII.isBlank(text[start]) { start += 1 }
  while start < end, ASCII.isBlank(text[end - 1]) { end -= 1 }
  return start..<end
}
