/// A single setting from outside the file: a flag such as `--set limits.max_connections=100`.
public struct ConfigurationOverride: Sendable, Equatable {
  /// What an error calls it, such as `--set limits.max_connections`.
  public let name: String
  /// Keys from the root on; an element of a list is meant by its `name` or its number from 0.
  public let path: [String]
  /// The value: a text as it is, or YAML when it begins with `[`, `{` or a quote.
  public let value: String

  /// Takes a flag's `key.path` and value apart; `name` is what errors call it.
  public init(name: String, keyPath: String, value: String) {
    self.name = name
    path = keyPath.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    self.value = value
  }

  private init(name: String, path: [String], value: String) {
    self.name = name
    self.path = path
    self.value = value
  }

  /// The settings among environment variables, sorted by name: `SLUICE_LIMITS__PER_IP__CONNECTIONS` is `limits.per_ip.connections`.
  ///
  /// Every variable that begins with `SLUICE_` counts, so that a misspelt one is an error, but for those that Kubernetes sets
  /// in every container when a service is called sluice, such as `SLUICE_SERVICE_HOST` and `SLUICE_PORT_8443_TCP`.
  public static func environment(_ variables: [String: String]) -> [ConfigurationOverride] {
    variables.keys.sorted().compactMap { name in
      guard name.hasPrefix(prefix), let value = variables[name] else { return nil }
      let rest = name.dropFirst(prefix.count)
      guard rest != "PORT", !rest.hasPrefix("PORT_"), !rest.hasPrefix("SERVICE_") else { return nil }
      return ConfigurationOverride(name: name, path: splitAtDoubleUnderscore(rest.lowercased()), value: value)
    }
  }
}

extension SettingNode {
  /// Puts a setting from outside in its place, over what is there.
  ///
  /// A key that nobody knows goes in as well: whoever decodes the whole refuses it, with a hint.
  mutating func apply(_ override: ConfigurationOverride) throws(ConfigurationError) {
    guard override.path.count <= maxPathLength, !override.path.contains("") else {
      throw ConfigurationError(
        origin: .setting(name: override.name), keyPath: "", problem: "the name has an empty part or too many",
        expected: "expected keys joined by dots, or by two underscores in a variable")
    }
    try set(override.path[...], to: try override.node(), origin: .setting(name: override.name))
  }

  private mutating func set(
    _ path: ArraySlice<String>, to value: SettingNode, origin: ConfigurationOrigin
  ) throws(ConfigurationError) {
    guard let key = path.first else {
      self = value
      return
    }
    switch self {
    case .mapping(var entries, let own):
      if let index = entries.firstIndex(where: { sameName($0.key, key) }) {
        try entries[index].value.set(path.dropFirst(), to: value, origin: origin)
      } else {
        var child = SettingNode.mapping([], origin: origin)
        try child.set(path.dropFirst(), to: value, origin: origin)
        entries.append(SettingEntry(key: key, keyOrigin: origin, value: child))
      }
      self = .mapping(entries, origin: own)
    case .sequence(var items, let own):
      guard let index = items.firstIndex(where: { $0.isNamed(key) }) ?? items.indices.first(where: { String($0) == key }) else {
        throw ConfigurationError(
          origin: origin, keyPath: "", problem: "the list has no element \"\(abridged(key))\"",
          expected: "expected the name of an element, or its number from 0")
      }
      try items[index].set(path.dropFirst(), to: value, origin: origin)
      self = .sequence(items, origin: own)
    case .scalar:
      self = .mapping([], origin: origin)
      try set(path, to: value, origin: origin)
    }
  }

  /// Whether this is an element of a list that carries this name.
  private func isNamed(_ name: String) -> Bool {
    guard case .mapping(let entries, origin: _) = self,
      case .scalar(let own)? = entries.first(where: { $0.key == "name" })?.value
    else { return false }
    return sameName(own.text, name)
  }

  /// The same value, as if every part of it stood in `origin`.
  fileprivate func moved(to origin: ConfigurationOrigin) -> SettingNode {
    switch self {
    case .scalar(var scalar):
      scalar.origin = origin
      return .scalar(scalar)
    case .sequence(let items, origin: _):
      return .sequence(items.map { $0.moved(to: origin) }, origin: origin)
    case .mapping(let entries, origin: _):
      let moved = entries.map { SettingEntry(key: $0.key, keyOrigin: origin, value: $0.value.moved(to: origin)) }
      return .mapping(moved, origin: origin)
    }
  }
}

extension ConfigurationOverride {
  fileprivate func node() throws(ConfigurationError) -> SettingNode {
    let origin = ConfigurationOrigin.setting(name: name)
    switch value.utf8.first {
    case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "\""), UInt8(ascii: "'"):
      // An address such as `[::]:8443` begins like a list; what is no YAML is a text.
      do {
        return try DocumentReader.read(value, fileName: name).moved(to: origin)
      } catch {
        guard value.utf8.first == UInt8(ascii: "["), value.contains("]:") else {
          throw ConfigurationError(origin: origin, keyPath: "", problem: error.problem, expected: error.expected)
        }
        return .scalar(SettingScalar(text: value, origin: origin, isPlain: true))
      }
    default:
      return .scalar(SettingScalar(text: value, origin: origin, isPlain: true))
    }
  }
}

/// Whether two names are the same but for case and for `-` against `_`, which a variable cannot tell apart.
private func sameName(_ lhs: String, _ rhs: String) -> Bool {
  func folded(_ name: String) -> String { String(name.lowercased().map { $0 == "-" ? "_" : $0 }) }
  return lhs == rhs || folded(lhs) == folded(rhs)
}

private func splitAtDoubleUnderscore(_ name: String) -> [String] {
  var parts = [""]
  var bytes = Array(name.utf8)[...]
  while let byte = bytes.popFirst() {
    if byte == UInt8(ascii: "_"), bytes.first == UInt8(ascii: "_") {
      bytes.removeFirst()
      parts.append("")
    } else {
      parts[parts.count - 1].unicodeScalars.append(Unicode.Scalar(byte))
    }
  }
  return parts
}

private let prefix = "SLUICE_"
private let maxPathLength = 16
