internal import EdgeCore

/// Field names that must not pass, in every spelling that a worker could read as the same name.
///
/// Gateway interfaces (CGI, WSGI and their heirs) turn `X-Sluice-User` into `HTTP_X_SLUICE_USER`, and so also `x_sluice_user`;
/// some turn every other sign into `_`. Names are therefore compared by letters and digits, and any other character equals `-`.
public struct FieldNameSet: Hashable, Sendable, ExpressibleByArrayLiteral {
  private var keys: Set<[UInt8]> = []
  /// A bit for each length that occurs, so that most names need no lookup.
  private var lengths: UInt64 = 0

  /// Makes a set of names.
  public init(_ names: some Sequence<String>) {
    for name in names {
      let key = comparisonKey(name)
      keys.insert(key)
      lengths |= lengthBit(key)
    }
  }

  /// Makes a set of names.
  public init(arrayLiteral names: String...) {
    self.init(names)
  }

  /// Whether the set holds the name in some spelling.
  public func contains(_ name: String) -> Bool {
    contains(key: comparisonKey(name))
  }

  /// Whether the set holds a name by its `comparisonKey`.
  func contains(key: [UInt8]) -> Bool {
    lengths & lengthBit(key) != 0 && keys.contains(key)
  }
}

/// The name in lower case, with `-` for whatever is neither letter nor digit.
func comparisonKey(_ name: String) -> [UInt8] {
  var key = Array(name.utf8)
  for index in key.indices {
    let byte = key[index]
    key[index] = ASCII.isLetter(byte) || ASCII.isDigit(byte) ? ASCII.lowercased(byte) : UInt8(ascii: "-")
  }
  return key
}

private func lengthBit(_ key: [UInt8]) -> UInt64 {
  1 << UInt64(min(63, key.count))
}
