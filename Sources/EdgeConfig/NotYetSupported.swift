/// A setting that is part of the format, but that this release does not act on.
///
/// Taking it in silence would be worse than not knowing it: an operator would believe in a limit that does not hold. A default
/// spelled out is let pass, so that what `sluice config --effective` writes can be read again. The list gets shorter as
/// features arrive.
struct NotYetSupported: Sendable {
  /// Keys from the root on; `*` stands for every element or name.
  let path: [String]
  /// Whether this value asks for what is missing.
  let asks: @Sendable (SettingNode) -> Bool
  /// What works today.
  let instead: String

  static let thisRelease: [NotYetSupported] = [
    NotYetSupported("pools.*.protocol", anything(but: "websocket"), instead: "websocket"),
    NotYetSupported("routes.*.close_codes.edge_fault", anything(but: "1011"), instead: "1011"),
  ]

  /// Adds to `findings` every setting below `root` that asks for what an entry says is missing, unless it is in `refused`: one
  /// error about a value is enough.
  static func check(
    _ root: SettingNode, against list: [NotYetSupported], refused: Set<ConfigurationOrigin>, findings: Findings
  ) {
    for entry in list {
      entry.visit(root, rest: entry.path[...], path: "") { path, node in
        guard !refused.contains(node.origin) else { return }
        findings.refuse(path, at: node.origin, "\(node.kind) is not supported yet", "expected \(entry.instead)")
      }
    }
  }

  private init(_ path: String, _ asks: @escaping @Sendable (SettingNode) -> Bool, instead: String) {
    self.path = path.split(separator: ".").map(String.init)
    self.asks = asks
    self.instead = instead
  }

  /// Calls `found` with every setting at `rest` below `node` that asks for what is missing.
  private func visit(
    _ node: SettingNode, rest: ArraySlice<String>, path: String, found: (_ path: String, _ node: SettingNode) -> Void
  ) {
    guard let key = rest.first else {
      if asks(node) { found(path, node) }
      return
    }
    let rest = rest.dropFirst()
    switch node {
    case .scalar: break
    case .sequence(let items, origin: _):
      guard key == "*" else { return }
      for (index, item) in items.enumerated() { visit(item, rest: rest, path: "\(path)[\(index)]", found: found) }
    case .mapping(let entries, origin: _):
      for entry in entries where key == "*" || key == entry.key {
        visit(entry.value, rest: rest, path: path.isEmpty ? entry.key : "\(path).\(abridged(entry.key))", found: found)
      }
    }
  }
}

private func anything(but word: String) -> @Sendable (SettingNode) -> Bool {
  { node in node.givenText.map { $0 != word } ?? false }
}
