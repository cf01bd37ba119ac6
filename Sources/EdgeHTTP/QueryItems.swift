internal import EdgeCore

extension RequestTarget {
  /// The values of the query items of that name, decoded as a browser writes them: `%XX` as UTF-8, `+` as a space.
  ///
  /// Items are separated by `&`. One that cannot be decoded has no value.
  public func queryItems(named name: String) -> [String] {
    items.compactMap { item in
      guard itemName(item) == name else { return nil }
      return decodedText(item.drop { $0 != equals }.dropFirst())
    }
  }

  /// The target without the query items of that name, however the name is escaped; without a query if none is left.
  public func removingQueryItems(named name: String) -> RequestTarget {
    let kept = items.filter { itemName($0) != name }
    guard kept.count != items.count else { return self }
    let query = String(decoding: Array(kept.joined(separator: [ampersand])), as: UTF8.self)
    return RequestTarget(normalPath: path, query: kept.isEmpty ? nil : query)
  }

  private var items: [ArraySlice<UInt8>] {
    query.map { Array($0.utf8).split(separator: ampersand, omittingEmptySubsequences: false) } ?? []
  }
}

private func itemName(_ item: ArraySlice<UInt8>) -> String? {
  decodedText(item.prefix { $0 != equals })
}

private func decodedText(_ bytes: some Sequence<UInt8>) -> String? {
  percentDecoded(bytes.map { $0 == UInt8(ascii: "+") ? 0x20 : $0 }).flatMap { String(validating: $0, as: UTF8.self) }
}

private let ampersand = UInt8(ascii: "&")
private let equals = UInt8(ascii: "=")
