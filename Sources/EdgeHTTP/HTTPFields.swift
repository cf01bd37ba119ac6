internal import EdgeCore

/// The fields of a head in their order, several of one name included. Names are looked up without regard to case.
///
/// They are kept as they stand in a head, in one piece: a field that is read is copied once, one that goes on once more, and neither
/// becomes a `String` unless somebody asks for it.
public struct HTTPFields: Hashable, Sendable {
  /// A line for each field: name, colon, space, value, CRLF.
  private var text: [UInt8] = []
  private var places: [FieldPlace] = []

  /// Makes an empty set of fields.
  public init() {}

  /// Makes fields of a list.
  public init(_ fields: some Sequence<HTTPField>) {
    for field in fields { add(field) }
  }

  /// Makes an empty set with room for that many fields, and that many bytes of their lines.
  init(minimumCapacity: Int, lineBytes: Int) {
    places.reserveCapacity(minimumCapacity)
    text.reserveCapacity(lineBytes)
  }

  /// How many field lines there are.
  public var count: Int { places.count }

  /// Whether there is none.
  public var isEmpty: Bool { places.isEmpty }

  /// How many bytes the lines take in a head.
  var lineBytes: Int { text.count }

  // MARK: Finding fields

  /// The value of the first field of that name.
  public func first(_ name: String) -> String? {
    next(name, from: 0).map(value)
  }

  /// The value of the first field of that name.
  public subscript(name: String) -> String? { first(name) }

  /// The values of all fields of that name, in order.
  public func all(_ name: String) -> [String] {
    var values: [String] = []
    forEachValue(of: name) { values.append(String(latin1: $0)) }
    return values
  }

  /// The value of a field that a head may have once.
  public func sole(_ name: String) -> SoleValue {
    guard let index = next(name, from: 0) else { return .absent }
    return next(name, from: index + 1) == nil ? .once(value(at: index)) : .repeated
  }

  /// Whether there is exactly one field of that name, with exactly that value.
  public func isSole(_ name: String, _ value: String) -> Bool {
    var count = 0
    var isSame = true
    forEachValue(of: name) { found in
      count += 1
      isSame = isSame && found.equals(value.utf8.span)
    }
    return count == 1 && isSame
  }

  /// Whether there is a field of that name.
  public func contains(_ name: String) -> Bool {
    next(name, from: 0) != nil
  }

  /// The elements of a list of tokens or addresses over all fields of that name (RFC 9110 §5.6.1).
  ///
  /// Every comma separates, so a stray quote cannot hide what comes after it. White space around elements and empty elements
  /// are dropped.
  public func elements(of name: String) -> [String] {
    var elements: [String] = []
    forEachElement(of: name) { elements.append(String(latin1: $0)) }
    return elements
  }

  /// Whether a comma-separated list holds `token`, without regard to case.
  public func containsToken(_ token: String, in name: String) -> Bool {
    var isFound = false
    forEachElement(of: name) { element in isFound = isFound || ASCII.equalIgnoringCase(element, token.utf8.span) }
    return isFound
  }

  /// Whether a comma-separated list holds `token` and nothing else, without regard to case.
  public func isList(of token: String, in name: String) -> Bool {
    var count = 0
    var isToken = true
    forEachElement(of: name) { element in
      count += 1
      isToken = isToken && ASCII.equalIgnoringCase(element, token.utf8.span)
    }
    return count == 1 && isToken
  }

  /// Gives each field to `body`, in order, as the bytes of its name and of its value.
  func forEachField(_ body: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
    let text = text.span
    for place in places { body(text.extracting(place.name), text.extracting(place.value)) }
  }

  /// Gives the elements of a list, as they stand in the head, to `body`.
  func forEachElement(of name: String, _ body: (Span<UInt8>) -> Void) {
    forEachValue(of: name) { list in
      var start = 0
      for end in 0...list.count where end == list.count || list[end] == UInt8(ascii: ",") {
        let element = trimmed(start..<end, of: list)
        if !element.isEmpty { body(list.extracting(element)) }
        start = end + 1
      }
    }
  }

  private func forEachValue(of name: String, _ body: (Span<UInt8>) -> Void) {
    var index = 0
    while let found = next(name, from: index) {
      body(text.span.extracting(places[found].value))
      index = found + 1
    }
  }

  /// Which of the fields from `index` on is the first of that name.
  private func next(_ name: String, from index: Int) -> Int? {
    let name = name.utf8.span
    let text = text.span
    let places = places.span
    var index = index
    while index < places.count {
      let place = places[index].name
      // The length first: it tells most names apart.
      if place.count == name.count, ASCII.equalIgnoringCase(text.extracting(place), name) { return index }
      index += 1
    }
    return nil
  }

  private func value(at index: Int) -> String {
    String(latin1: text.span.extracting(places[index].value))
  }

  // MARK: Changing fields

  /// Adds a field at the end.
  public mutating func add(_ field: HTTPField) {
    addLine(of: field.name.utf8.span) { $0.append(latin1: field.value) }
  }

  /// Adds a field at the end; see `HTTPField.init(name:value:)`.
  public mutating func add(_ name: String, _ value: String) {
    add(HTTPField(name: name, value: value))
  }

  /// Adds a field at the end that has been read: a token, and a value without controls and without white space at its ends.
  mutating func add(checkedName name: Span<UInt8>, checkedValue value: Span<UInt8>) {
    addLine(of: name) { $0.append(copying: value) }
  }

  /// Adds a field of the edge's own at the end, whose value is written in place.
  ///
  /// - Parameters:
  ///   - name: a token.
  ///   - write: adds visible ASCII and single spaces between it, and nothing else.
  mutating func add(_ name: String, writing write: (inout [UInt8]) -> Void) {
    addLine(of: name.utf8.span, write)
  }

  /// Adds all fields of another set at the end.
  public mutating func add(_ other: HTTPFields) {
    let distance = text.count
    for place in other.places { places.append(place.moved(by: distance)) }
    text += other.text
  }

  /// Adds those fields of another set at the end whose names are not dropped.
  mutating func add(_ other: HTTPFields, unless isDropped: (_ name: Span<UInt8>) -> Bool) {
    for place in other.places where !isDropped(other.text.span.extracting(place.name)) { addLine(at: place, of: other) }
  }

  /// Replaces all fields of that name by one, at the end.
  public mutating func set(_ name: String, _ value: String) {
    remove(name)
    add(name, value)
  }

  /// Removes all fields of that name.
  public mutating func remove(_ name: String) {
    guard contains(name) else { return }
    var others = HTTPFields(minimumCapacity: count, lineBytes: lineBytes)
    others.add(self) { ASCII.equalIgnoringCase($0, name.utf8.span) }
    self = others
  }

  private mutating func addLine(of name: Span<UInt8>, _ writeValue: (inout [UInt8]) -> Void) {
    let start = text.count
    text.append(copying: name)
    text.append(UInt8(ascii: ":"))
    text.append(UInt8(ascii: " "))
    let valueStart = text.count
    writeValue(&text)
    places.append(FieldPlace(name: start..<start + name.count, value: valueStart..<text.count))
    text.appendLineEnding()
  }

  private mutating func addLine(at place: FieldPlace, of other: HTTPFields) {
    places.append(place.moved(by: text.count - place.line.lowerBound))
    text.append(copying: other.text.span.extracting(place.line))
  }

  /// Writes the fields and the empty line that ends a head.
  func serialize(into bytes: inout [UInt8]) {
    bytes.reserveCapacity(bytes.count + text.count + 2)
    bytes += text
    bytes.appendLineEnding()
  }
}

/// What a head says in a field that it may have once.
public enum SoleValue: Hashable, Sendable {
  /// There is no such field.
  case absent
  /// There is one.
  case once(String)
  /// There are several.
  case repeated
}

extension HTTPFields: Sequence {
  /// Goes over the fields in their order.
  public func makeIterator() -> IndexingIterator<[HTTPField]> {
    var fields: [HTTPField] = []
    forEachField { fields.append(HTTPField(checkedName: String(utf8: $0), checkedValue: String(latin1: $1))) }
    return fields.makeIterator()
  }
}

extension HTTPFields: CustomStringConvertible {
  /// The lines of a head.
  public var description: String { String(latin1: text.span) }
}

extension HTTPFields: ExpressibleByDictionaryLiteral {
  /// Makes fields of name and value pairs, in their order.
  public init(dictionaryLiteral elements: (String, String)...) {
    let lineBytes = elements.reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count + ": \r\n".utf8.count }
    self.init(minimumCapacity: elements.count, lineBytes: lineBytes)
    for (name, value) in elements { add(name, value) }
  }
}
