/// What a new configuration changes, and which of it a running edge can take in.
public struct ConfigurationDiff: Sendable, Equatable {
  /// When a change takes effect.
  public enum Effect: String, Sendable, CaseIterable {
    /// With the reload.
    case live
    /// With the next start.
    case restart
  }

  /// One key whose value differs.
  public struct Change: Sendable, Equatable {
    /// The key, such as `routes.chat.ping.interval`; elements of lists by name where they have one, else by number.
    public let keyPath: String
    /// The old value as text; nil when the key is new.
    public let before: String?
    /// The new value as text; nil when the key is gone.
    public let after: String?
    /// When the change takes effect.
    public let effect: Effect
  }

  /// The changes, sorted by key.
  public let changes: [Change]

  /// Compares two configurations.
  public init(from old: Configuration, to new: Configuration) {
    self.init(from: old, to: new, liveKeys: liveKeys)
  }

  /// Compares two configurations; `liveKeys` are the keys below which changes are live.
  init(from old: Configuration, to new: Configuration, liveKeys: Set<String>) {
    let before = leaves(of: old.node)
    let after = leaves(of: new.node)
    changes = Set(before.keys).union(after.keys).sorted().compactMap { key in
      guard before[key] != after[key] else { return nil }
      let isLive = liveKeys.contains { key == $0 || key.hasPrefix("\($0).") }
      return Change(keyPath: key, before: before[key], after: after[key], effect: isLive ? .live : .restart)
    }
  }

  /// Whether anything has to wait for the next start.
  public var needsRestart: Bool {
    changes.contains { $0.effect == .restart }
  }
}

private func leaves(of node: SettingNode) -> [String: String] {
  var result: [String: String] = [:]
  func visit(_ node: SettingNode, _ path: String) {
    switch node {
    case .scalar(let scalar): result[path] = scalar.text
    case .sequence(let items, origin: _):
      if items.isEmpty { result[path] = "[]" }
      for (index, item) in items.enumerated() {
        let name = item["name"]?.givenText ?? String(index)
        visit(item, "\(path).\(name)")
      }
    case .mapping(let entries, origin: _):
      if entries.isEmpty { result[path] = "{}" }
      for entry in entries { visit(entry.value, path.isEmpty ? entry.key : "\(path).\(entry.key)") }
    }
  }
  visit(node, "")
  return result
}

/// Keys below which a reload changes a running edge: none yet. Each arrives with the code that takes it in.
private let liveKeys: Set<String> = []
