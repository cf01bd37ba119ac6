import Yams

/// Reads a YAML document, and so a JSON one, into setting nodes that know their place.
///
/// The only file that knows the YAML library. What it hands on is bounded: at most `DocumentGuard.maxBytes` of text,
/// `maxNodes` values, nested at most `maxDepth` deep; no anchors, no tags but the usual ones, no key that is not a text.
struct DocumentReader {
  private let fileName: String
  private var nodes = 0

  /// Reads `text`; an empty document is an empty mapping.
  ///
  /// - Throws: the first thing that is not YAML, not unique or not bounded.
  static func read(_ text: String, fileName: String) throws(ConfigurationError) -> SettingNode {
    let text = text.unicodeScalars.first == "\u{feff}" ? String(text.unicodeScalars.dropFirst()) : text
    try DocumentGuard.check(text, fileName: fileName)
    let root: Node?
    do {
      root = try compose(yaml: text, .basic, .default, .utf8)
    } catch {
      throw syntaxError(error, in: text, fileName: fileName)
    }
    let start = ConfigurationOrigin.file(name: fileName, line: 1, column: 1)
    guard let root else { return .mapping([], origin: start) }
    var reader = DocumentReader(fileName: fileName)
    return try reader.convert(root, depth: 0, parent: start)
  }

  private init(fileName: String) {
    self.fileName = fileName
  }

  private mutating func convert(
    _ node: Node, depth: Int, parent: ConfigurationOrigin
  ) throws(ConfigurationError) -> SettingNode {
    let origin = node.mark.map { ConfigurationOrigin.file(name: fileName, line: $0.line, column: $0.column) } ?? parent
    nodes += 1
    guard nodes <= maxNodes, depth <= maxDepth else {
      throw ConfigurationError(
        origin: origin, keyPath: "", problem: "the document holds too much",
        expected: "expected at most \(maxNodes) values, nested at most \(maxDepth) deep")
    }
    guard plainTags.contains(node.tag.rawValue) else {
      throw ConfigurationError(
        origin: origin, keyPath: "", problem: "the tag \"\(abridged(node.tag.rawValue))\" means nothing here",
        expected: "expected a value without a tag")
    }
    switch node {
    case .scalar(let scalar):
      return .scalar(SettingScalar(text: scalar.string, origin: origin, isPlain: scalar.style == .plain))
    case .sequence(let items):
      var converted: [SettingNode] = []
      for item in items { converted.append(try convert(item, depth: depth + 1, parent: origin)) }
      return .sequence(converted, origin: origin)
    case .mapping(let pairs):
      var entries: [SettingEntry] = []
      var seen: Set<String> = []
      for (key, value) in pairs {
        guard case .scalar(let name) = try convert(key, depth: depth + 1, parent: origin) else {
          throw ConfigurationError(origin: origin, keyPath: "", problem: "a key is no text", expected: "expected a name")
        }
        guard seen.insert(name.text).inserted else { throw duplicate(name.text, at: name.origin) }
        let value = try convert(value, depth: depth + 1, parent: name.origin)
        entries.append(SettingEntry(key: name.text, keyOrigin: name.origin, value: value))
      }
      return .mapping(entries, origin: origin)
    case .alias:
      throw ConfigurationError(
        origin: origin, keyPath: "", problem: "an alias refers to another value", expected: "expected the value itself")
    }
  }
}

private func syntaxError(_ error: any Error, in text: String, fileName: String) -> ConfigurationError {
  let problem: String
  let place: (line: Int, column: Int)
  switch error as? YamlError {
  case .scanner(let context, let what, let mark, _), .parser(let context, let what, let mark, _),
    .composer(let context, let what, let mark, _):
    problem = (context.map { "\($0.text), " } ?? "") + what
    place = (mark.line, mark.column)
  case .duplicatedKeysInMapping(let names, let context):
    return duplicate(
      names.first ?? "", at: .file(name: fileName, line: context.mark.line, column: context.mark.column))
  case .reader(let what, let offset, _, _):
    problem = what
    place = position(ofCharacter: offset ?? 0, in: text)
  case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded, nil:
    problem = "the document cannot be read"
    place = (1, 1)
  }
  return ConfigurationError(
    origin: .file(name: fileName, line: place.line, column: place.column), keyPath: "", problem: problem,
    expected: "expected YAML or JSON")
}

private func duplicate(_ key: String, at origin: ConfigurationOrigin) -> ConfigurationError {
  ConfigurationError(
    origin: origin, keyPath: "", problem: "the key \"\(abridged(key))\" is written twice",
    expected: "expected each key once in a mapping")
}

private func position(ofCharacter offset: Int, in text: String) -> (line: Int, column: Int) {
  var line = 1
  var column = 1
  for character in text.prefix(offset) {
    if character.isNewline {
      line += 1
      column = 1
    } else {
      column += character.unicodeScalars.count
    }
  }
  return (line, column)
}

private let maxNodes = 100_000
private let maxDepth = 64
private let plainTags: Set<String> = [
  "", "tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map", "!",
]
