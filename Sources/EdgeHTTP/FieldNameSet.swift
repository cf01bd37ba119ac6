internal import EdgeCore

/// Field names that must not pass, in every spelling that a worker could read as the same name.
///
/// Gateway interfaces (CGI, WSGI and their heirs) turn `X-Sluice-User` into `HTTP_X_SLUICE_USER`, and so also `x_sluice_user`;
/// some turn every other sign into `_`. Names are therefore compared by letters and digits, and any other character equals `-`.
public struct FieldNameSet: Hashable, Sendable, ExpressibleByArrayLiteral {
  /// In their `order`, so that a name is found, or most often not, without a copy or a hash of it.
  private let keys: [[UInt8]]
  private let prefixes: [[UInt8]]

  /// Makes a set of names.
  ///
  /// - Parameter prefixes: beginnings of which every name is in the set.
  public init(_ names: some Sequence<String>, prefixes: [String] = []) {
    keys = Set(names.lazy.map(comparisonKey)).sorted { order($0.span, $1.span) < 0 }
    self.prefixes = prefixes.map(comparisonKey)
  }

  /// Makes a set of names.
  public init(arrayLiteral names: String...) {
    self.init(names)
  }

  /// Whether the set holds the name in some spelling.
  public func contains(_ name: String) -> Bool {
    let name = name.utf8.span
    return contains(key: name) || contains(prefixOf: name)
  }

  /// Whether two names are one name in some spelling.
  static func isSame(_ name: String, as other: String) -> Bool {
    name.utf8.count == other.utf8.count && order(name.utf8.span, other.utf8.span) == 0
  }

  private func contains(key name: Span<UInt8>) -> Bool {
    var candidates = keys.indices
    while !candidates.isEmpty {
      let middle = candidates.lowerBound + candidates.count / 2
      let key = keys[middle]
      let difference = order(name, key.span)
      if difference == 0 { return true }
      candidates = difference < 0 ? candidates.lowerBound..<middle : middle + 1..<candidates.upperBound
    }
    return false
  }

  private func contains(prefixOf name: Span<UInt8>) -> Bool {
    prefixes.contains { order(name.extracting(first: $0.count), $0.span) == 0 }
  }
}

/// Below zero if `name` comes before `other`, zero if they are spellings of one name. Shorter names come first.
private func order(_ name: Span<UInt8>, _ other: Span<UInt8>) -> Int {
  guard name.count == other.count else { return name.count - other.count }
  for index in name.indices {
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
