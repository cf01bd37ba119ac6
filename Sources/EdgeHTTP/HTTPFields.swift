internal import EdgeCore

/// The fields of a head in their order, several of one name included. Names are looked up without regard to case.
public struct HTTPFields: Hashable, Sendable {
  private var storage: [HTTPField] = []

  /// Makes an empty set of fields.
  public init() {}

  /// Makes fields of a list.
  public init(_ fields: some Sequence<HTTPField>) {
    storage = Array(fields)
  }

  /// Makes an empty set with room for that many fields.
  init(minimumCapacity: Int) {
    storage.reserveCapacity(minimumCapacity)
  }

  /// How many field lines there are.
  public var count: Int { storage.count }

  /// Whether there is none.
  public var isEmpty: Bool { storage.isEmpty }

  /// The value of the first field of that name.
  public func first(_ name: String) -> String? {
    let fields = storage.span
    for index in fields.indices where fields[index].isNamed(name) { return fields[index].value }
    return nil
  }

  /// The value of the first field of that name.
  public subscript(name: String) -> String? { first(name) }

  /// The values of all fields of that name, in order.
  public func all(_ name: String) -> [String] {
    let fields = storage.span
    var values: [String] = []
    for index in fields.indices where fields[index].isNamed(name) { values.append(fields[index].value) }
    return values
  }

  /// Whether there is a field of that name.
  public func contains(_ name: String) -> Bool {
    let fields = storage.span
    for index in fields.indices where fields[index].isNamed(name) { return true }
    return false
  }

  /// The elements of a list of tokens or addresses over all fields of that name (RFC 9110 §5.6.1).
  ///
  /// Every comma separates, so a stray quote cannot hide what comes after it. White space around elements and empty elements
  /// are dropped.
  public func elements(of name: String) -> [String] {
    var elements: [String] = []
    forEachElement(of: name) { elements.append(String(utf8: $0)) }
    return elements
  }

  /// Whether a comma-separated list holds `token`, without regard to case.
  public func containsToken(_ token: String, in name: String) -> Bool {
    var isFound = false
    forEachElement(of: name) { element in isFound = isFound || element.equalsIgnoringCase(token.utf8.span) }
    return isFound
  }

  /// Whether a comma-separated list holds `token` and nothing else, without regard to case.
  public func isList(of token: String, in name: String) -> Bool {
    var count = 0
    var isToken = true
    forEachElement(of: name) { element in
      count += 1
      isToken = isToken && element.equalsIgnoringCase(token.utf8.span)
    }
    return count == 1 && isToken
  }

  /// Adds a field at the end.
  public mutating func add(_ field: HTTPField) {
    storage.append(field)
  }

  /// Adds a field at the end; see `HTTPField.init(name:value:)`.
  public mutating func add(_ name: String, _ value: String) {
    storage.append(HTTPField(name: name, value: value))
  }

  /// Replaces all fields of that name by one, at the end.
  public mutating func set(_ name: String, _ value: String) {
    remove(name)
    add(name, value)
  }

  /// Removes all fields of that name.
  public mutating func remove(_ name: String) {
    storage.removeAll { $0.isNamed(name) }
  }

  /// Removes the fields that `shouldRemove` picks.
  public mutating func removeAll(where shouldRemove: (HTTPField) -> Bool) {
    storage.removeAll(where: shouldRemove)
  }

  /// Gives the elements of a list, as UTF-8, to `body`.
  private func forEachElement(of name: String, _ body: (Span<UInt8>) -> Void) {
    let fields = storage.span
    for index in fields.indices where fields[index].isNamed(name) {
      let value = fields[index].value
      let list = value.utf8.span
      var start = 0
      for end in 0...list.count where end == list.count || list[end] == UInt8(ascii: ",") {
        let element = trimmed(start..<end, of: list)
        if !element.isEmpty { body(list.extracting(element)) }
        start = end + 1
      }
    }
  }

  /// Writes the fields and the empty line that ends a head.
  func serialize(into bytes: inout [UInt8]) {
    bytes.reserveCapacity(bytes.count + storage.reduce(2) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 })
    for field in storage {
      bytes.append(latin1: field.name)
      bytes.append(UInt8(ascii: ":"))
      bytes.append(UInt8(ascii: " "))
      bytes.append(latin1: field.value)
      bytes.appendLineEnding()
    }
    bytes.appendLineEnding()
  }
}

extension HTTPFields: Sequence {
  /// Goes over the fields in their order.
  public func makeIterator() -> IndexingIterator<[HTTPField]> { storage.makeIterator() }
}

extension HTTPFields: ExpressibleByDictionaryLiteral {
  /// Makes fields of name and value pairs, in their order.
  public init(dictionaryLiteral elements: (String, String)...) {
    storage = elements.map { HTTPField(name: $0.0, value: $0.1) }
  }
}

/// What is left of a range of `text` without white space at its ends.
private func trimmed(_ range: Range<Int>, of text: Span<UInt8>) -> Range<Int> {
  var (start, end) = (range.lowerBound, range.upperBound)
  while start < end, ASCII.isBlank(text[start]) { start += 1 }
  while start < end, ASCII.isBlank(text[end - 1]) { end -= 1 }
  return start..<end
}
