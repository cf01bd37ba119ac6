internal import EdgeCore

/// Field names that must not pass, in every spelling that a worker could read as the same name.
///
/// Gateway interfaces (CGI, WSGI and their heirs) turn `X-Sluice-User` into `HTTP_X_SLUICE_USER`, and so also `x_sluice_user`;
/// some turn every other sign into `_`. Names are therefore compared by letters and digits, and any other character equals `-`.
public struct FieldNameSet: Hashable, Sendable, ExpressibleByArrayLiteral {
  private let keys: KeyList
  /// The lengths of `keys`: most names have none of them.
  private let lengths: LengthSet
  private let prefixes: KeyList

  /// Makes a set of names.
  ///
  /// - Parameter prefixes: beginnings of which every name is in the set.
  public init(_ names: some Sequence<String>, prefixes: [String] = []) {
    // In their `order`, so that a name is found without a copy or a hash of it.
    let keys = Set(names.lazy.map(comparisonKey)).sorted { order($0.span, $1.span) < 0 }
    self.keys = KeyList(keys)
    lengths = LengthSet(keys.map(\.count))
    self.prefixes = KeyList(prefixes.map(comparisonKey))
  }

  /// Makes a set of names.
  public init(arrayLiteral names: String...) {
    self.init(names)
  }

  /// Whether the set holds the name in some spelling.
  public func contains(_ name: String) -> Bool {
    contains(name.utf8.span)
  }

  /// Whether the set holds the name in some spelling.
  func contains(_ name: Span<UInt8>) -> Bool {
    lengths.contains(name.count) && contains(key: name) || contains(prefixOf: name)
  }

  /// Whether two names are one name in some spelling.
  static func isSame(_ name: Span<UInt8>, as other: String) -> Bool {
    name.count == other.utf8.count && order(name, other.utf8.span) == 0
  }

  private func contains(key name: Span<UInt8>) -> Bool {
    let text = keys.text.span
    var candidates = 0..<keys.count
    while !candidates.isEmpty {
      let middle = candidates.lowerBound + candidates.count / 2
      let difference = order(name, text.extracting(keys[middle]))
      if difference == 0 { return true }
      candidates = difference < 0 ? candidates.lowerBound..<middle : middle + 1..<candidates.upperBound
    }
    return false
  }

  private func contains(prefixOf name: Span<UInt8>) -> Bool {
    let text = prefixes.text.span
    for index in 0..<prefixes.count {
      let prefix = text.extracting(prefixes[index])
      if order(name.extracting(first: prefix.count), prefix) == 0 { return true }
    }
    return false
  }
}

/// Keys in one piece.
private struct KeyList: Hashable {
  private(set) var text: [UInt8] = []
  private var ends: [Int] = []

  init(_ keys: [[UInt8]]) {
    for key in keys {
      text += key
      ends.append(text.count)
    }
  }

  var count: Int { ends.count }

  /// Where in `text` a key is.
  subscript(index: Int) -> Range<Int> {
    (index == 0 ? 0 : ends[index - 1])..<ends[index]
  }
}

/// Lengths of names, those beyond 62 bytes taken as one.
private struct LengthSet: Hashable {
  private var bits: UInt64 = 0

  init(_ lengths: [Int]) {
    for length in lengths { bits |= Self.bit(length) }
  }

  func contains(_ length: Int) -> Bool {
    bits & Self.bit(length) != 0
  }

  private static func bit(_ length: Int) -> UInt64 { 1 << UInt64(min(length, 63)) }
}

/// Below zero if `name` comes before `other`, zero if they are spellings of one name. Shorter names come first.
private func order(_ name: Span<UInt8>, _ other: Span<UInt8>) -> Int {
  guard name.count == other.count else { return name.count - other.count }
  for index in name.indices where name[index] != other[index] {
    let difference = Int(comparable(name[index])) - Int(comparable(other[index]))
    guard difference == 0 else { return difference }
  }
  return 0
}

private func comparisonKey(_ name: String) -> [UInt8] {
  name.utf8.map(comparable)
}

/// The byte in lower case, or `-` for whatever is neither letter nor digit.
private func comparable(_ byte: UInt8) -> UInt8 {
  ASCII.isLetter(byte) || ASCII.isDigit(byte) ? ASCII.lowercased(byte) : UInt8(ascii: "-")
}
