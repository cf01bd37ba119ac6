extension SettingNode {
  /// Replaces each `${NAME}` in texts (not in keys) by the variable of that name; `$${` stands for `${` itself.
  ///
  /// What comes in is text for good: it cannot become `null`, a list, or another key.
  ///
  /// - Parameters:
  ///   - path: where the node is.
  ///   - redactions: learns of the texts that came from variables.
  mutating func substitute(
    from variables: [String: String], at path: String, redactions: inout Redactions, errors: inout [ConfigurationError]
  ) {
    switch self {
    case .scalar(var scalar):
      guard scalar.text.contains("${") else { return }
      let template = scalar.text
      if scalar.substitute(from: variables, errors: &errors) {
        scalar.template = template
        redactions.add(template, at: path)
      }
      self = .scalar(scalar)
    case .sequence(var items, let origin):
      for index in items.indices {
        items[index].substitute(from: variables, at: "\(path)[\(index)]", redactions: &redactions, errors: &errors)
      }
      self = .sequence(items, origin: origin)
    case .mapping(var entries, let origin):
      for index in entries.indices {
        let key = path.isEmpty ? entries[index].key : "\(path).\(entries[index].key)"
        entries[index].value.substitute(from: variables, at: key, redactions: &redactions, errors: &errors)
      }
      self = .mapping(entries, origin: origin)
    }
  }
}

/// The text that `substitute` turns back into `text`.
func escapedForSubstitution(_ text: String) -> String {
  var result = ""
  var previousIsDollar = false
  for scalar in text.unicodeScalars {
    if scalar == "{", previousIsDollar {
      result.removeLast()
      result += "$${"
    } else {
      result.unicodeScalars.append(scalar)
    }
    previousIsDollar = scalar == "$"
  }
  return result
}

extension SettingScalar {
  /// Tells whether a variable's value is in the text now.
  fileprivate mutating func substitute(from variables: [String: String], errors: inout [ConfigurationError]) -> Bool {
    var result = ""
    var usesVariable = false
    var rest = Substring(text)
    while let dollar = rest.firstIndex(of: "$") {
      result += rest[..<dollar]
      rest = rest[dollar...]
      if rest.hasPrefix("$${") {
        result += "${"
        rest = rest.dropFirst(3)
      } else if rest.hasPrefix("${") {
        guard let end = rest.firstIndex(of: "}"), isVariableName(rest[..<end].dropFirst(2)) else {
          errors.append(error("\"\(abridged(text))\" holds an unfinished ${NAME}", "expected ${NAME}, or $${ for ${ itself"))
          return false
        }
        let name = String(rest[..<end].dropFirst(2))
        guard let value = variables[name] else {
          errors.append(error("the environment variable \(name) is not set", "expected a value for ${\(name)}"))
          return false
        }
        result += value
        usesVariable = true
        rest = rest[rest.index(after: end)...]
      } else {
        result += "$"
        rest = rest.dropFirst()
      }
    }
    text = result + rest
    isPlain = false
    return usesVariable
  }

  private func error(_ problem: String, _ expected: String) -> ConfigurationError {
    ConfigurationError(origin: origin, keyPath: "", problem: problem, expected: expected)
  }
}

private func isVariableName(_ text: Substring) -> Bool {
  guard let first = text.utf8.first, !(0x30...0x39).contains(first) else { return false }
  return text.utf8.allSatisfy {
    $0 == 0x5f || (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
  }
}
