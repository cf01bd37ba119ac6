/// A value as it was written, before anyone asks what it means: the form that files, variables and flags share.
enum SettingNode: Sendable, Equatable {
  case scalar(SettingScalar)
  case sequence([SettingNode], origin: ConfigurationOrigin)
  case mapping([SettingEntry], origin: ConfigurationOrigin)

  var origin: ConfigurationOrigin {
    switch self {
    case .scalar(let scalar): scalar.origin
    case .sequence(_, let origin), .mapping(_, let origin): origin
    }
  }

  /// What the value is, in the words of an error.
  var kind: String {
    switch self {
    case .scalar(let scalar): scalar.isMissing ? "no value" : scalar.isNull ? "null" : "\"\(abridged(scalar.shownText))\""
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }
}

/// A key and its value in a mapping.
struct SettingEntry: Sendable, Equatable {
  var key: String
  var keyOrigin: ConfigurationOrigin
  var value: SettingNode
}

/// A single text. What type it has is decided by the key it belongs to, never by its looks: `1.2` may be a version.
struct SettingScalar: Sendable, Equatable {
  var text: String
  var origin: ConfigurationOrigin
  /// Whether it stood there without quotes; only then is `null` no text.
  var isPlain: Bool
  /// What stood there before variables were put in, with their names: what they say may be secret.
  var template: String?

  /// Whether it says `null`: use the default, or none.
  var isNull: Bool { isPlain && (text == "null" || text == "~") }
  /// The text as it may be shown.
  var shownText: String { template ?? text }
  /// Whether nothing was written after the key.
  var isMissing: Bool { isPlain && text.isEmpty }
}

extension SettingNode {
  /// A text that no file holds; written with quotes where it needs them.
  static func text(_ text: String) -> SettingNode {
    .scalar(SettingScalar(text: text, origin: .none, isPlain: false))
  }

  /// A word, number or quantity that no file holds; written without quotes.
  static func plain(_ text: String) -> SettingNode {
    .scalar(SettingScalar(text: text, origin: .none, isPlain: true))
  }

  static var null: SettingNode { .plain("null") }

  static func list(_ items: [SettingNode]) -> SettingNode {
    .sequence(items, origin: .none)
  }

  static func map(_ entries: KeyValuePairs<String, SettingNode>) -> SettingNode {
    .mapping(entries.map { SettingEntry(key: $0.key, keyOrigin: .none, value: $0.value) }, origin: .none)
  }
}

/// The beginning of a text with control characters escaped, short enough for an error message.
func abridged(_ text: String) -> String {
  var result = ""
  for (count, scalar) in text.unicodeScalars.enumerated() {
    guard count < maxQuotedScalars else { return result + "…" }
    switch scalar.value {
    case 0..<0x20, 0x7f..<0xa0, 0x2028, 0x2029, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069:
      result += scalar.escaped(asASCII: true)
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}

private let maxQuotedScalars = 80
