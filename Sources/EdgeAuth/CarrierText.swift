internal import EdgeCore

/// The text of Cookie fields: pairs of name and value between semicolons (RFC 6265 §4.2.1).
public enum CookieText {
  /// Every value of the cookie `name`, without the quotes that may stand around it.
  public static func values(of name: String, in fields: [String]) -> [String] {
    fields.flatMap(pairs).filter { $0.name.utf8.elementsEqual(name.utf8) }.map { unquoted($0.value) }
  }

  /// The fields without the cookie `name`; a field with nothing else is dropped.
  public static func removing(_ name: String, from fields: [String]) -> [String] {
    fields.compactMap { field in
      let all = pairs(field)
      let kept = all.filter { !$0.name.utf8.elementsEqual(name.utf8) }
      if kept.count == all.count { return field }
      return kept.isEmpty ? nil : kept.map(\.text).joined(separator: "; ")
    }
  }

  private static func pairs(_ field: String) -> [(name: String, value: String, text: String)] {
    field.utf8.split(separator: UInt8(ascii: ";")).compactMap { part in
      let text = trimmed(part)
      guard !text.isEmpty else { return nil }
      let halves = text.utf8.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard halves.count == 2 else { return (name: "", value: text, text: text) }
      return (name: trimmed(halves[0]), value: trimmed(halves[1]), text: text)
    }
  }

  private static func unquoted(_ value: String) -> String {
    let isQuoted = value.utf8.count >= 2 && value.utf8.first == quote && value.utf8.last == quote
    return isQuoted ? String(decoding: value.utf8.dropFirst().dropLast(), as: UTF8.self) : value
  }

  private static let quote = UInt8(ascii: "\"")
}

/// The text of a query: pairs of name and value between ampersands, as forms write them. The names looked for consist of
/// unreserved characters, so that a `+` or a broken escape is in none of them.
public enum QueryText {
  /// Every value of the parameter `name`, as it is written; the name may be written with escapes.
  public static func values(of name: String, in query: String) -> [String] {
    parts(query).filter { isNamed(name, $0) }.map { part in
      String(decoding: part.drop { $0 != UInt8(ascii: "=") }.dropFirst(), as: UTF8.self)
    }
  }

  /// The query without the parameter `name`, or nil if nothing is left.
  static func removing(_ name: String, from query: String) -> String? {
    let all = parts(query)
    let kept = all.filter { !isNamed(name, $0) }
    if kept.count == all.count { return query }
    return kept.isEmpty ? nil : kept.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "&")
  }

  private static func parts(_ query: String) -> [Substring.UTF8View] {
    query[...].utf8.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false)
  }

  private static func isNamed(_ name: String, _ part: Substring.UTF8View) -> Bool {
    PercentEncoding.decode(part.prefix { $0 != UInt8(ascii: "=") })?.elementsEqual(name.utf8) ?? false
  }
}

/// The bytes as text, without spaces and tabs at both ends.
func trimmed(_ bytes: Substring.UTF8View) -> String {
  String(Substring(ASCII.trimmed(bytes)))
}
