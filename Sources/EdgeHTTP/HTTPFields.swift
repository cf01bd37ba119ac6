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

  /// How many field lines there are.
  public var count: Int { storage.count }

  /// Whether there is none.
  public var isEmpty: Bool { storage.isEmpty }

  /// The value of the first field of that name.
  public func first(_ name: String) -> String? {
    storage.first { $0.isNamed(name) }?.value
  }

  /// The value of the first field of that name.
  public subscript(name: String) -> String? { first(name) }

  /// The values of all fields of that name, in order.
  public func all(_ name: String) -> [String] {
    storage.compactMap { $0.isNamed(name) ? $0.value : nil }
  }

  /// Whether there is a field of that name.
  public func contains(_ name: String) -> Bool {
    storage.contains { $0.isNamed(name) }
  }

  /// The elements of a list of tokens or addresses over all fields of that name (RFC 9110 §5.6.1).
  ///
  /// Every comma separates, so a stray quote cannot hide what comes after it. White space around elements and empty elements
  /// are dropped.
  public func elements(of name: String) -> [String] {
    all(name).flatMap { value in
      [UInt8](latin1: value).split(separator: UInt8(ascii: ",")).map { String(latin1: ASCII.trimmed($0)) }
    }.filter { !$0.isEmpty }
  }

  /// Whether a comma-separated list holds `token`, without regard to case.
  public func containsToken(_ token: String, in name: String) -> Bool {
    elements(of: name).contains { ASCII.equalIgnoringCase($0, token) }
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

  /// Writes the fields and the empty line that ends a head.
  func serialize(into bytes: inout [UInt8]) {
    bytes.reserveCapacity(bytes.count + 64 * count)
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
