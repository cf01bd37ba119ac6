import EdgeCore

/// Collects everything that is wrong, and every key that was asked for.
final class Findings {
  private(set) var errors: [ConfigurationError] = []
  /// Paths of the keys that decoders know, as documented: `listeners[].name`, and `pools.NAME.workers` where an operator chooses the name.
  private(set) var knownKeys: Set<String> = []

  func refuse(_ path: String, at origin: ConfigurationOrigin, _ problem: String, _ expected: String) {
    errors.append(ConfigurationError(origin: origin, keyPath: path, problem: problem, expected: expected))
  }

  fileprivate func know(_ path: String) {
    knownKeys.insert(path)
  }
}

/// A value and its place, ready to be asked for its type. Each question that has no answer leaves an error in `findings`.
struct Setting {
  let node: SettingNode
  let path: String
  /// `path` without the numbers and names in it, as documented: `routes[].pool`, `pools.NAME.workers`.
  let schemaPath: String
  let findings: Findings

  func refuse(_ problem: String, _ expected: String) {
    findings.refuse(path, at: node.origin, problem, expected)
  }

  /// The value as what `parse` makes of its text; `expected` says what that is.
  func parsed<Value>(_ expected: @autoclosure () -> String, _ parse: (String) -> Value?) -> Value? {
    guard case .scalar(let scalar) = node, !scalar.isMissing, !scalar.isNull, let value = parse(scalar.text) else {
      refuse("\(node.kind) is not allowed here", "expected \(expected())")
      return nil
    }
    return value
  }

  /// A text that is not empty and holds no control characters.
  func text(_ what: String) -> String? {
    parsed(what) { text in
      text.isEmpty || text.unicodeScalars.contains { $0.properties.generalCategory == .control } ? nil : text
    }
  }

  /// One of the words of a closed set.
  func word<Word: RawRepresentable & CaseIterable>(_ type: Word.Type) -> Word? where Word.RawValue == String {
    let words = Word.allCases.map(\.rawValue)
    guard case .scalar(let scalar) = node, let word = Word(rawValue: scalar.text) else {
      if case .scalar(let scalar) = node, !scalar.isMissing {
        refuse("\(node.kind) is not allowed here", suggestion(for: scalar.text, among: words))
      } else {
        refuse("\(node.kind) is not allowed here", suggestion(for: "", among: words))
      }
      return nil
    }
    return word
  }

  /// The elements of a list, each as what `element` makes of it; nil when it is none.
  func list<Element>(of what: String, _ element: (Setting) -> Element?) -> [Element]? {
    guard case .sequence(let items, origin: _) = node else {
      refuse("\(node.kind) is not allowed here", "expected a list of \(what)")
      return nil
    }
    return items.enumerated().compactMap { index, item in
      element(Setting(node: item, path: "\(path)[\(index)]", schemaPath: "\(schemaPath)[]", findings: findings))
    }
  }

  /// The elements of a list that holds each only once and, unless it may be empty, at least one.
  func uniqueList<Element: Hashable>(
    of what: String, mayBeEmpty: Bool = false, _ element: (Setting) -> Element?
  ) -> [Element]? {
    guard let elements = list(of: what, element) else { return nil }
    if node.elements.isEmpty, !mayBeEmpty { refuse("the list is empty", "expected at least one of \(what)") }
    if Set(elements).count < elements.count { refuse("the list holds something twice", "expected \(what), each once") }
    return elements
  }

  /// The entries of a mapping whose keys are names that an operator chose.
  func entries<Element>(of what: String, _ element: (String, Setting) -> Element?) -> [Element]? {
    guard case .mapping(let entries, origin: _) = node else {
      refuse("\(node.kind) is not allowed here", "expected a mapping from names to \(what)")
      return nil
    }
    return entries.compactMap { entry in
      let setting = Setting(
        node: entry.value, path: "\(path).\(abridged(entry.key))", schemaPath: "\(schemaPath).NAME", findings: findings)
      return element(entry.key, setting)
    }
  }

  /// Reads a mapping of known keys. Keys that `body` does not ask for are refused when it is done.
  func section<Value>(_ body: (Section) -> Value?) -> Value? {
    guard case .mapping(let entries, let origin) = node else {
      refuse("\(node.kind) is not allowed here", "expected a mapping")
      return nil
    }
    return read(entries, origin: origin, body)
  }

  fileprivate func read<Value>(
    _ entries: [SettingEntry], origin: ConfigurationOrigin, _ body: (Section) -> Value?
  ) -> Value? {
    let section = Section(entries: entries, origin: origin, path: path, schemaPath: schemaPath, findings: findings)
    let value = body(section)
    section.refuseUnknownKeys()
    return value
  }
}

/// A mapping of known keys. It keeps book of the keys it is asked for.
final class Section {
  let path: String
  let findings: Findings
  private let origin: ConfigurationOrigin
  private let entries: [SettingEntry]
  private let schemaPath: String
  private var asked: Set<String> = []

  fileprivate init(
    entries: [SettingEntry], origin: ConfigurationOrigin, path: String, schemaPath: String, findings: Findings
  ) {
    self.entries = entries
    self.origin = origin
    self.path = path
    self.schemaPath = schemaPath
    self.findings = findings
  }

  /// The value of a key, or nil when it is absent or null.
  subscript(key: String) -> Setting? {
    asked.insert(key)
    findings.know(schema(key))
    guard let entry = entries.first(where: { $0.key == key }) else { return nil }
    if case .scalar(let scalar) = entry.value, scalar.isNull { return nil }
    return Setting(node: entry.value, path: full(key), schemaPath: schema(key), findings: findings)
  }

  /// The value of a key, which must be there.
  func required(_ key: String, _ what: String) -> Setting? {
    if let setting = self[key] { return setting }
    findings.refuse(path, at: origin, "\"\(key)\" is missing", "expected \(what)")
    return nil
  }

  /// The section of a key; one without keys when it is absent, null, or has nothing below it.
  func section<Value>(_ key: String, _ body: (Section) -> Value?) -> Value? {
    guard let setting = self[key] else {
      return Setting(node: .null, path: full(key), schemaPath: schema(key), findings: findings)
        .read([], origin: origin, body)
    }
    if case .scalar(let scalar) = setting.node, scalar.isMissing {
      return setting.read([], origin: scalar.origin, body)
    }
    return setting.section(body)
  }

  func refuse(_ problem: String, _ expected: String) {
    findings.refuse(path, at: origin, problem, expected)
  }

  fileprivate func refuseUnknownKeys() {
    let unknown = entries.filter { !asked.contains($0.key) }
    for entry in unknown.prefix(maxUnknownKeysShown) {
      findings.refuse(
        path, at: entry.keyOrigin, "unknown key \"\(abridged(entry.key))\"", suggestion(for: entry.key, among: asked))
    }
    guard let next = unknown.dropFirst(maxUnknownKeysShown).first else { return }
    findings.refuse(path, at: next.keyOrigin, "\(unknown.count - maxUnknownKeysShown) more unknown keys", "")
  }

  private func full(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  private func schema(_ key: String) -> String { schemaPath.isEmpty ? key : "\(schemaPath).\(key)" }
}

private let maxUnknownKeysShown = 50
