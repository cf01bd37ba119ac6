/// What a new configuration changes, and which of it a running edge takes in.
public struct ConfigurationDiff: Sendable, Equatable {
  /// One key whose value differs.
  public struct Change: Sendable, Equatable {
    /// The key, such as `routes.chat.ping.interval`; elements of lists by name where they have one, else by number.
    public let keyPath: String
    /// The old value as text; nil when the key is new.
    public let before: String?
    /// The new value as text; nil when the key is gone.
    public let after: String?
    /// When the change takes effect.
    public let effect: ReloadEffect

    /// Makes a change, such as one of a file that a setting names.
    public init(keyPath: String, before: String?, after: String?, effect: ReloadEffect) {
      self.keyPath = keyPath
      self.before = before
      self.after = after
      self.effect = effect
    }
  }

  /// The changes, sorted by key.
  public private(set) var changes: [Change]

  /// Compares two configurations. Of a listener, pool, `auth` or route that is new or gone, defaults are left out.
  public init(from old: Configuration, to new: Configuration) {
    let before = leaves(of: old)
    let after = leaves(of: new)
    changes = Set(before.keys).union(after.keys).sorted().compactMap { keyPath in
      let values = (before[keyPath], after[keyPath])
      guard values.0?.text != values.1?.text, let leaf = values.0 ?? values.1 else { return nil }
      if values.0 == nil || values.1 == nil, leaf.isDefault { return nil }
      return Change(
        keyPath: keyPath, before: values.0?.shownText, after: values.1?.shownText,
        effect: ReloadEffect(ofKey: leaf.schemaPath) ?? .needsRestart)
    }
  }

  /// The same with changes of the files that settings name.
  public func adding(_ more: [Change]) -> ConfigurationDiff {
    var copy = self
    copy.changes = (changes + more).sorted { $0.keyPath < $1.keyPath }
    return copy
  }

  /// Whether a reload changes anything.
  public var changesRunningEdge: Bool { changes.contains { $0.effect != .needsRestart } }

  /// The keys whose change waits for the next start.
  public var needsRestart: [String] { changes.filter { $0.effect == .needsRestart }.map(\.keyPath) }
}

/// A key with a value of its own, the last of its path.
private struct Leaf {
  let text: String
  /// The text as it may be shown: without what a variable put there.
  let shownText: String
  /// The path as the reference has it: `routes[].ping.interval`.
  let schemaPath: String
  /// Whether it says what an element without the key has too.
  let isDefault: Bool
}

private func leaves(of configuration: Configuration) -> [String: Leaf] {
  var collector = LeafCollector(redactions: configuration.redactions)
  collector.visit(configuration.node, path: "", schemaPath: "", origin: "")
  return collector.leaves
}

private struct LeafCollector {
  let redactions: Redactions
  private(set) var leaves: [String: Leaf] = [:]

  init(redactions: Redactions) {
    self.redactions = redactions
  }

  /// - Parameter origin: the path with numbers where `path` has names, as redactions know it.
  mutating func visit(_ node: SettingNode, path: String, schemaPath: String, origin: String) {
    switch node {
    case .mapping(let entries, origin: _) where !entries.isEmpty:
      let isNamed = namedMappings.contains(schemaPath)
      for entry in entries {
        let key = isNamed ? "NAME" : entry.key
        visit(
          entry.value, path: joined(path, entry.key), schemaPath: joined(schemaPath, key), origin: joined(origin, entry.key))
      }
    case .sequence(let items, origin: _) where !isFlat(items):
      for (index, item) in items.enumerated() {
        visit(
          item, path: joined(path, item["name"]?.givenText ?? String(index)), schemaPath: "\(schemaPath)[]",
          origin: "\(origin)[\(index)]")
      }
    case .mapping, .sequence, .scalar:
      leaves[path] = Leaf(
        text: leafText(node), shownText: leafText(redactions.applied(to: node, at: origin, schemaPath: schemaPath)),
        schemaPath: schemaPath, isDefault: elementDefaults[schemaPath] == node)
    }
  }
}

private func leafText(_ node: SettingNode) -> String {
  if case .scalar(let scalar) = node { scalar.text } else { flowText(node) }
}

private func joined(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

/// What an element of a list, or a named entry, has for a key that it leaves out.
private let elementDefaults: [String: SettingNode] = {
  var defaults: [String: SettingNode] = [:]
  func visit(_ node: SettingNode, _ schemaPath: String) {
    switch node {
    case .mapping(let entries, origin: _) where !entries.isEmpty:
      let isNamed = namedMappings.contains(schemaPath)
      for entry in entries { visit(entry.value, joined(schemaPath, isNamed ? "NAME" : entry.key)) }
    case .sequence(let items, origin: _) where !isFlat(items):
      for item in items { visit(item, "\(schemaPath)[]") }
    case .mapping, .sequence, .scalar: defaults[schemaPath] = node
    }
  }
  visit(Configuration.example.node, "")
  return defaults.filter { key, _ in
    let isElement = ["listeners[].", "auth.NAME.", "pools.NAME.", "routes[]."].contains { key.hasPrefix($0) }
    return isElement && !exampleKeys.contains(key)
  }
}()

/// Mappings whose keys are names that an operator chose.
private let namedMappings: Set = ["auth", "pools"]
/// Keys without a default: the example has something there all the same.
private let exampleKeys: Set = [
  "listeners[].name", "listeners[].address", "listeners[].tls.certificates[].chain", "listeners[].tls.certificates[].key",
  "auth.NAME.keys.file", "pools.NAME.workers", "routes[].name", "routes[].match.path", "routes[].pool",
]
