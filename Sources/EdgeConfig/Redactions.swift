/// What of a configuration is not to be shown: texts that variables put there, for they may be secrets, and what stands behind the
/// `?` of a provider's address.
///
/// Two configurations that ask for the same are equal, whatever the text of either came from.
struct Redactions: Sendable, Equatable {
  /// The texts as the file has them, with their `${NAME}`, by key path.
  private var originals: [String: String] = [:]

  mutating func add(_ original: String, at path: String) {
    originals[path] = original
  }

  /// The node as it may be shown.
  ///
  /// - Parameters:
  ///   - path: where it is, such as `routes[0].headers.set.X-Key`; of a list, where the list is.
  ///   - schemaPath: the same as the reference has it.
  func applied(to node: SettingNode, at path: String, schemaPath: String) -> SettingNode {
    switch node {
    case .scalar(let scalar):
      if let original = originals[path] {
        return .scalar(SettingScalar(text: original, origin: .none, isPlain: false, template: original))
      }
      guard schemaPath == "auth.NAME.keys.url", let query = scalar.text.firstIndex(of: "?") else { return node }
      return .text(scalar.text[..<query] + "?…")
    case .sequence(let items, let origin):
      let shown = items.enumerated().map { index, item in
        applied(to: item, at: "\(path)[\(index)]", schemaPath: "\(schemaPath)[]")
      }
      return .sequence(shown, origin: origin)
    case .mapping(let entries, let origin):
      let shown = entries.map { entry in
        let key = schemaPath == "auth" || schemaPath == "pools" ? "NAME" : entry.key
        var entry = entry
        entry.value = applied(
          to: entry.value, at: path.isEmpty ? entry.key : "\(path).\(entry.key)",
          schemaPath: schemaPath.isEmpty ? key : "\(schemaPath).\(key)")
        return entry
      }
      return .mapping(shown, origin: origin)
    }
  }

  static func == (lhs: Redactions, rhs: Redactions) -> Bool { true }
}
