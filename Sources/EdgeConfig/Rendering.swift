public import EdgeCore

extension Configuration {
  /// The whole configuration as YAML, every default written out. Reading it gives an equal value.
  ///
  /// Secrets are not part of a configuration, only the names of the files that hold them.
  public func effectiveYAML() -> String {
    YAMLWriter.text(of: node)
  }

  /// The same as it may be shown: where a variable of the environment was put in, its name stands, for it may be a secret.
  public func shownYAML() -> String {
    YAMLWriter.text(of: shownNode)
  }

  /// `shownYAML` as JSON.
  public var shownJSON: JSON { shownNode.json }

  private var shownNode: SettingNode { redactions.applied(to: node, at: "", schemaPath: "") }

  /// Every key with its default, as YAML that is valid itself. Where there is no default, an example stands.
  public static func defaultsYAML() -> String {
    defaultsHeader + example.effectiveYAML()
  }

  /// Every key with its default, or an example where there is none.
  static let example: Configuration = {
    do throws(ConfigurationErrors) {
      return try load(file: minimalDocument, fileName: "defaults")
    } catch {
      preconditionFailure("the minimal document is not valid: \(error)")
    }
  }()
}

extension SettingNode {
  /// Words of YAML that JSON has too are those; everything else is a text.
  fileprivate var json: JSON {
    switch self {
    case .scalar(let scalar):
      guard scalar.isPlain else { return .string(scalar.text) }
      switch scalar.text {
      case "null": return .null
      case "true": return true
      case "false": return false
      default: return Int64(scalar.text).map { .integer($0) } ?? .string(scalar.text)
      }
    case .sequence(let items, origin: _): return .array(items.map(\.json))
    case .mapping(let entries, origin: _): return .object(entries.map { JSON.Member(name: $0.key, value: $0.value.json) })
    }
  }
}

/// Writes setting nodes as block YAML; lists of short texts stand on one line.
struct YAMLWriter {
  private var text = ""

  static func text(of node: SettingNode) -> String {
    var writer = YAMLWriter()
    writer.write(node, indentation: 0)
    return writer.text
  }

  /// Writes a node whose first line is already indented, up to and with its line break.
  private mutating func write(_ node: SettingNode, indentation: Int) {
    switch node {
    case .mapping(let entries, origin: _) where !entries.isEmpty:
      for (index, entry) in entries.enumerated() {
        if index > 0 { indent(indentation) }
        text += scalarText(entry.key, isPlain: false) + ":"
        writeValue(entry.value, indentation: indentation)
      }
    case .sequence(let items, origin: _) where !isFlat(items):
      for (index, item) in items.enumerated() {
        if index > 0 { indent(indentation) }
        text += "- "
        write(item, indentation: indentation + 2)
      }
    case .mapping, .sequence, .scalar:
      text += flowText(node) + "\n"
    }
  }

  /// Writes what follows a key and its colon: on the same line, or below and further in.
  private mutating func writeValue(_ node: SettingNode, indentation: Int) {
    let isBelow =
      switch node {
      case .mapping(let entries, origin: _): !entries.isEmpty
      case .sequence(let items, origin: _): !isFlat(items)
      case .scalar: false
      }
    text += isBelow ? "\n" : " "
    if isBelow { indent(indentation + 2) }
    write(node, indentation: indentation + 2)
  }

  private mutating func indent(_ columns: Int) {
    text += String(repeating: " ", count: columns)
  }
}

func isFlat(_ items: [SettingNode]) -> Bool {
  items.allSatisfy { item in
    switch item {
    case .scalar: true
    case .sequence, .mapping: false
    }
  }
}

func flowText(_ node: SettingNode) -> String {
  switch node {
  case .scalar(let scalar): scalarText(scalar.text, isPlain: scalar.isPlain, holdsVariables: scalar.template != nil)
  case .sequence(let items, origin: _): "[" + items.map(flowText).joined(separator: ", ") + "]"
  case .mapping: "{}"
  }
}

/// A text in quotes, unless it is one that every YAML reader takes for a text without them.
private func scalarText(_ text: String, isPlain: Bool, holdsVariables: Bool = false) -> String {
  if isPlain || isSafeWithoutQuotes(text) { return text }
  var quoted = "\""
  for scalar in (holdsVariables ? text : escapedForSubstitution(text)).unicodeScalars {
    switch scalar {
    case "\"", "\\": quoted += "\\\(scalar)"
    case _ where needsEscape(scalar):
      let digits = String(scalar.value, radix: 16)
      let width = scalar.value > 0xffff ? 8 : 4
      quoted += (width == 8 ? "\\U" : "\\u") + String(repeating: "0", count: width - digits.count) + digits
    default: quoted.unicodeScalars.append(scalar)
    }
  }
  return quoted + "\""
}

private func isSafeWithoutQuotes(_ text: String) -> Bool {
  guard let first = text.unicodeScalars.first, first == "/" || first.properties.isAlphabetic else { return false }
  return !wordsWithMeaning.contains(text.lowercased())
    && text.unicodeScalars.allSatisfy {
      $0.isASCII && ($0.properties.isAlphabetic || "0123456789/._-".unicodeScalars.contains($0))
    }
}

private func needsEscape(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.properties.generalCategory {
  case .control, .format, .unassigned, .privateUse, .surrogate, .lineSeparator, .paragraphSeparator: true
  default: false
  }
}

private let wordsWithMeaning: Set<String> = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
private let defaultsHeader = """
  # Every key of Sluice with its default. Names, addresses, files and the route are examples: they have no default.

  """
private let minimalDocument = """
  listeners:
    - {name: public, address: "[::]:8443", tls: {certificates: [{chain: /etc/sluice/tls/fullchain.pem, key: /etc/sluice/tls/key.pem}]}}
  auth:
    main: {keys: {file: /etc/sluice/jwks.json}}
  pools:
    chat: {workers: ["/run/chat/*.sock"]}
  routes:
    - {name: chat, match: {path: /ws}, pool: chat}
  """
