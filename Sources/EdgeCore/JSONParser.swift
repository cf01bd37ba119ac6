extension JSON {
  /// Parses one JSON text, as strictly as RFC 8259 allows: fit for hostile input.
  ///
  /// Duplicate members, lone surrogates, bytes after the value and numbers that are not finite are refused. Time is at most
  /// `n log n` in the number of bytes. A value may take some fifty times the memory of its text, so callers bound the text.
  ///
  /// - Parameters:
  ///   - bytes: the whole text, UTF-8 without byte order mark.
  ///   - maxDepth: how many arrays and objects may be nested; a bare scalar has depth 0.
  /// - Throws: `JSONError`, with the offset of the first byte that is wrong.
  public init(parsing bytes: Span<UInt8>, maxDepth: Int = 32) throws(JSONError) {
    var parser = JSONParser(depthLeft: maxDepth)
    self = try parser.text(bytes)
  }

  /// Parses one JSON text; see `init(parsing:maxDepth:)` of a span.
  public init(parsing bytes: [UInt8], maxDepth: Int = 32) throws(JSONError) {
    try self.init(parsing: bytes.span, maxDepth: maxDepth)
  }
}

/// A recursive descent over `bytes`, which every method is handed, since a span cannot be stored.
struct JSONParser {
  var depthLeft: Int
  var index = 0

  mutating func text(_ bytes: Span<UInt8>) throws(JSONError) -> JSON {
    let value = try value(bytes)
    skipSpace(bytes)
    guard index == bytes.count else { throw JSONError(.trailingBytes, at: index) }
    return value
  }

  private mutating func value(_ bytes: Span<UInt8>) throws(JSONError) -> JSON {
    switch try peek(bytes) {
    case UInt8(ascii: "\""): return .string(try string(bytes))
    case UInt8(ascii: "{"): return .object(try object(bytes))
    case UInt8(ascii: "["): return .array(try array(bytes))
    case UInt8(ascii: "t"): return try literal("true", .bool(true), bytes)
    case UInt8(ascii: "f"): return try literal("false", .bool(false), bytes)
    case UInt8(ascii: "n"): return try literal("null", .null, bytes)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number(bytes)
    default: throw JSONError(.unexpectedByte, at: index)
    }
  }

  // MARK: Arrays and objects

  private mutating func array(_ bytes: Span<UInt8>) throws(JSONError) -> [JSON] {
    try enter()
    defer { depthLeft += 1 }
    var elements: [JSON] = []
    if try peek(bytes) == closeBracket {
      index += 1
      return elements
    }
    while true {
      elements.append(try value(bytes))
      if try separator(bytes, end: closeBracket) { return elements }
    }
  }

  private mutating func object(_ bytes: Span<UInt8>) throws(JSONError) -> [JSON.Member] {
    let start = index
    try enter()
    defer { depthLeft += 1 }
    var members: [JSON.Member] = []
    if try peek(bytes) == closeBrace {
      index += 1
      return members
    }
    while true {
      guard try peek(bytes) == quote else { throw JSONError(.unexpectedByte, at: index) }
      let nameStart = index
      let name = try string(bytes)
      if members.count < linearSearchLimit, members.contains(where: { $0.name.utf8.elementsEqual(name.utf8) }) {
        throw JSONError(.duplicateMember, at: nameStart)
      }
      guard try peek(bytes) == UInt8(ascii: ":") else { throw JSONError(.unexpectedByte, at: index) }
      index += 1
      members.append(JSON.Member(name: name, value: try value(bytes)))
      if try separator(bytes, end: closeBrace) { break }
    }
    if members.count > linearSearchLimit, hasDuplicate(members) { throw JSONError(.duplicateMember, at: start) }
    return members
  }

  private mutating func enter() throws(JSONError) {
    guard depthLeft > 0 else { throw JSONError(.tooDeep, at: index) }
    depthLeft -= 1
    index += 1
  }

  /// Reads a comma or `end`; tells whether it was `end`.
  private mutating func separator(_ bytes: Span<UInt8>, end: UInt8) throws(JSONError) -> Bool {
    let byte = try peek(bytes)
    guard byte == end || byte == UInt8(ascii: ",") else { throw JSONError(.unexpectedByte, at: index) }
    index += 1
    return byte == end
  }

  // MARK: Numbers and words

  private mutating func number(_ bytes: Span<UInt8>) throws(JSONError) -> JSON {
    let start = index
    let negative = bytes[index] == UInt8(ascii: "-")
    if negative { index += 1 }
    let integer = try integerPart(bytes, negative: negative)
    var isInteger = true
    if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
      isInteger = false
      index += 1
      try digits(bytes)
    }
    if index < bytes.count, bytes[index] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      index += 1
      if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") { index += 1 }
      try digits(bytes)
    }
    if isInteger, let integer { return .integer(integer) }
    guard index - start <= maxNumberBytes, let text = try? UTF8Span(validating: bytes.extracting(start..<index)),
      let value = Double(String(copying: text)), value.isFinite
    else { throw JSONError(.numberOutOfRange, at: start) }
    return .number(value)
  }

  /// Reads `0` or digits that do not begin with it; nil when `Int64` cannot hold the value.
  private mutating func integerPart(_ bytes: Span<UInt8>, negative: Bool) throws(JSONError) -> Int64? {
    let start = index
    try digits(bytes)
    guard bytes[start] != UInt8(ascii: "0") || index == start + 1 else { throw JSONError(.invalidNumber, at: start) }
    var value: Int64 = 0
    for position in start..<index {
      let digit = Int64(bytes[position] - 0x30)
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carried) = negative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
      guard !overflow, !carried else { return nil }
      value = sum
    }
    return value
  }

  private mutating func digits(_ bytes: Span<UInt8>) throws(JSONError) {
    let start = index
    while index < bytes.count, ASCII.isDigit(bytes[index]) { index += 1 }
    guard index > start else {
      throw JSONError(index < bytes.count ? .invalidNumber : .unexpectedEnd, at: index)
    }
  }

  private mutating func literal(_ word: StaticString, _ value: JSON, _ bytes: Span<UInt8>) throws(JSONError) -> JSON {
    for byte in word.description.utf8 {
      guard index < bytes.count else { throw JSONError(.unexpectedEnd, at: index) }
      guard bytes[index] == byte else { throw JSONError(.unexpectedByte, at: index) }
      index += 1
    }
    return value
  }

  // MARK: Bytes

  /// The next byte that is not white space.
  private mutating func peek(_ bytes: Span<UInt8>) throws(JSONError) -> UInt8 {
    skipSpace(bytes)
    guard index < bytes.count else { throw JSONError(.unexpectedEnd, at: index) }
    return bytes[index]
  }

  private mutating func skipSpace(_ bytes: Span<UInt8>) {
    while index < bytes.count {
      switch bytes[index] {
      case 0x20, 0x09, 0x0a, 0x0d: index += 1
      default: return
      }
    }
  }
}

/// Sorting, not hashing: a peer cannot choose names that make it slow.
private func hasDuplicate(_ members: [JSON.Member]) -> Bool {
  let names = members.map(\.name).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  return zip(names, names.dropFirst()).contains { $0.utf8.elementsEqual($1.utf8) }
}

private let quote = UInt8(ascii: "\"")
private let closeBracket = UInt8(ascii: "]")
private let closeBrace = UInt8(ascii: "}")
/// Up to here each new name is compared with all earlier ones, which is faster than sorting.
private let linearSearchLimit = 16
private let maxNumberBytes = 256
