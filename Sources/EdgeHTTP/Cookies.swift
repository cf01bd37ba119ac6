extension HTTPFields {
  /// The values of the cookies of that name over all Cookie fields (RFC 6265 §5.4). Names are compared with their case.
  public func cookies(named name: String) -> [String] {
    all("Cookie").flatMap(CookiePair.parse).compactMap { $0.name == name ? $0.value : nil }
  }

  /// Removes the cookies of that name and leaves the others; a Cookie field with none left is removed.
  public mutating func removeCookies(named name: String) {
    self = HTTPFields(
      compactMap { field in
        guard field.isNamed("Cookie") else { return field }
        let pairs = CookiePair.parse(field.value)
        let kept = pairs.filter { $0.name != name }
        guard kept.count < pairs.count else { return field }
        return kept.isEmpty ? nil : HTTPField(name: field.name, value: kept.map(\.text).joined(separator: "; "))
      })
  }
}

private struct CookiePair {
  let text: String

  static func parse(_ value: String) -> [CookiePair] {
    value.unicodeScalars.split(separator: ";").map { CookiePair(text: trimmed($0)) }
  }

  var name: String { trimmed(text.unicodeScalars.prefix { $0 != "=" }) }

  /// A value in double quotes is the value with its quotes (RFC 6265 §5.2 takes it so).
  var value: String { trimmed(text.unicodeScalars.drop { $0 != "=" }.dropFirst()) }
}

private func trimmed(_ scalars: Substring.UnicodeScalarView) -> String {
  var trimmed = scalars
  while let first = trimmed.first, first == " " || first == "\t" { trimmed.removeFirst() }
  while let last = trimmed.last, last == " " || last == "\t" { trimmed.removeLast() }
  return String(trimmed)
}
