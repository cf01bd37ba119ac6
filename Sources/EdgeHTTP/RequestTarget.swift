internal import EdgeCore

/// Where a request goes, in the one form that routes match and the worker gets: one path, one meaning.
///
/// - Path: escapes of unreserved characters are decoded, other escapes have upper-case digits and stand for UTF-8. Dot segments,
///   empty segments, backslashes, and escaped slashes, backslashes and controls do not occur. Reserved characters and their
///   escapes are different things (RFC 3986 §2.2), so `;` and `%3B`, `+` and `%2B` stay as they are.
/// - Query: exactly the client's bytes, visible ASCII without `#`.
public struct RequestTarget: Hashable, Sendable, CustomStringConvertible {
  /// The path, beginning with `/`; or `*` alone, for the server as a whole (RFC 9112 §3.2.4).
  public let path: String
  /// What follows the first `?`; nil without one.
  public let query: String?

  /// Reads a target in origin-form, such as a request line's or the `:path` of HTTP/2.
  ///
  /// - Throws: what is wrong with path or query.
  public init(parsing text: String) throws(HTTPParseError) {
    try self.init(parsing: text.utf8.span)
  }

  /// Reads a target in origin-form; see `init(parsing:)`.
  public init(parsing bytes: Span<UInt8>) throws(HTTPParseError) {
    guard bytes.first == UInt8(ascii: "/") else { throw .targetForm }
    guard bytes.firstIndex(of: UInt8(ascii: "#")) == nil else { throw .fragment }
    let mark = bytes.firstIndex(of: UInt8(ascii: "?"))
    path = try normalPath(bytes.extracting(first: mark ?? bytes.count))
    query = try mark.map { position throws(HTTPParseError) in try checkedQuery(bytes.extracting(droppingFirst: position + 1)) }
  }

  /// The same path with another query: what is left of this one, say, once a token was cut out of it.
  ///
  /// - Parameter query: visible ASCII without `#`; anything else is our own mistake.
  public func withQuery(_ query: String?) -> RequestTarget {
    precondition(query?.utf8.allSatisfy { ASCII.isVisible($0) && $0 != UInt8(ascii: "#") } ?? true)
    return RequestTarget(normalPath: path, query: query)
  }

  /// Makes a target of parts in normal form.
  init(normalPath path: String, query: String?) {
    self.path = path
    self.query = query
  }

  /// The server as a whole: the target of `OPTIONS *`.
  public static let asterisk = RequestTarget(normalPath: "*", query: nil)

  /// Path and query as they stand in a request line.
  public var description: String {
    query.map { "\(path)?\($0)" } ?? path
  }
}

private func normalPath(_ bytes: Span<UInt8>) throws(HTTPParseError) -> String {
  var normal: [UInt8] = []
  normal.reserveCapacity(bytes.count)
  var segmentStart = 0
  var hasEncodedText = false
  var index = 0
  while index < bytes.count {
    let byte = bytes[index]
    index += 1
    switch byte {
    case UInt8(ascii: "/"):
      guard normal.last != UInt8(ascii: "/") else { throw .pathEmptySegment }
      try checkSegment(normal.span.extracting(droppingFirst: segmentStart))
      normal.append(byte)
      segmentStart = normal.count
    case UInt8(ascii: "%"):
      guard index + 2 <= bytes.count, let high = ASCII.hexDigit(bytes[index]), let low = ASCII.hexDigit(bytes[index + 1])
      else { throw .pathEscape }
      index += 2
      let decoded = high << 4 | low
      try checkDecoded(decoded)
      hasEncodedText = hasEncodedText || decoded >= 0x80
      if ASCII.isUnreserved(decoded) { normal.append(decoded) } else { PercentEncoding.append(decoded, to: &normal) }
    default:
      guard byte != UInt8(ascii: ";") else { throw .pathParameter }
      guard ASCII.isUnreserved(byte) || isReservedInPath(byte) else { throw .pathCharacter }
      normal.append(byte)
    }
  }
  try checkSegment(normal.span.extracting(droppingFirst: segmentStart))
  if hasEncodedText {
    guard let decoded = PercentEncoding.decode(normal), String(validating: decoded, as: UTF8.self) != nil else {
      throw .pathEscape
    }
  }
  return String(decoding: normal, as: UTF8.self)
}

/// Refuses what would be read as a control or a separator by whoever decodes the path.
private func checkDecoded(_ byte: UInt8) throws(HTTPParseError) {
  switch byte {
  case 0x00...0x1f, 0x7f: throw .pathEncodedControl
  case UInt8(ascii: "/"), UInt8(ascii: "\\"): throw .pathEncodedSeparator
  case UInt8(ascii: ";"): throw .pathParameter
  default: break
  }
}

/// Refuses dot segments.
private func checkSegment(_ segment: Span<UInt8>) throws(HTTPParseError) {
  guard !segment.equals(".".utf8.span), !segment.equals("..".utf8.span) else { throw .pathDotSegment }
}

private func checkedQuery(_ bytes: Span<UInt8>) throws(HTTPParseError) -> String {
  for index in bytes.indices where !ASCII.isVisible(bytes[index]) { throw .queryCharacter }
  return String(utf8: bytes)
}

/// Whether a byte may stand in a path unescaped besides unreserved characters and `/` (RFC 3986 §3.3).
///
/// `;` is left out: servers that know path parameters take `/ws;x` for `/ws`, others do not, and a path shall mean one thing.
private func isReservedInPath(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"),
    UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: "="), UInt8(ascii: ":"), UInt8(ascii: "@"):
    return true
  default: return false
  }
}
