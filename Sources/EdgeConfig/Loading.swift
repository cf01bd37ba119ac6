extension Configuration {
  /// Reads a configuration: flag before environment before file before default.
  ///
  /// Reads no file and no environment itself. In the file's texts, `${NAME}` is replaced by that variable.
  ///
  /// - Parameters:
  ///   - text: the YAML or JSON document, at most 1 MiB.
  ///   - fileName: what errors call it.
  ///   - environment: all environment variables; those that begin with `SLUICE_` are settings.
  ///   - overrides: settings from flags; a later one wins.
  /// - Throws: everything that is wrong, in the order of the document.
  public static func load(
    file text: String, fileName: String, environment: [String: String] = [:], overrides: [ConfigurationOverride] = []
  ) throws(ConfigurationErrors) -> Configuration {
    try load(
      file: text, fileName: fileName, environment: environment, overrides: overrides,
      notYetSupported: NotYetSupported.thisRelease, findings: Findings())
  }

  /// The same, with the settings that are refused as not yet supported, and findings that a caller may look into afterwards.
  static func load(
    file text: String, fileName: String, environment: [String: String] = [:], overrides: [ConfigurationOverride] = [],
    notYetSupported: [NotYetSupported], findings: Findings
  ) throws(ConfigurationErrors) -> Configuration {
    var errors: [ConfigurationError] = []
    var root: SettingNode
    do {
      root = try DocumentReader.read(text, fileName: fileName)
    } catch {
      throw ConfigurationErrors(errors: [error])
    }
    var redactions = Redactions()
    root.substitute(from: environment, at: "", redactions: &redactions, errors: &errors)
    for override in ConfigurationOverride.environment(environment) + overrides {
      do {
        try root.apply(override)
      } catch {
        errors.append(error)
      }
    }
    let document = Setting(node: root, path: "", schemaPath: "", findings: findings)
    let configuration = document.section(Configuration.read)
    CrossChecks.run(on: root, findings: findings)
    let refused = Set((errors + findings.errors).map(\.origin))
    NotYetSupported.check(root, against: notYetSupported, refused: refused, findings: findings)
    errors += findings.errors
    guard errors.isEmpty, var configuration else { throw ConfigurationErrors(errors: inOrder(errors)) }
    configuration.redactions = redactions
    return configuration
  }
}

/// Errors by line and column, those of flags and variables last; one place says the same thing once.
private func inOrder(_ errors: [ConfigurationError]) -> [ConfigurationError] {
  func place(_ error: ConfigurationError) -> (Int, Int, String) {
    switch error.origin {
    case .file(_, let line, let column): (line, column, "")
    case .setting(let name): (.max, 0, name)
    case .none: (.max, 1, "")
    }
  }
  var seen: Set<ConfigurationError> = []
  let unique = errors.filter { seen.insert($0).inserted }
  return unique.enumerated().sorted { lhs, rhs in
    let (left, right) = (place(lhs.element), place(rhs.element))
    return left == right ? lhs.offset < rhs.offset : left < right
  }.map(\.element)
}
