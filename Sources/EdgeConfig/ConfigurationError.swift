/// One thing that is wrong with a configuration: where, what, and what was expected.
public struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The place of the offending text.
  public let origin: ConfigurationOrigin
  /// The key it belongs to, such as `limits.per_ip.connections`; empty for the document as a whole.
  public let keyPath: String
  /// What is wrong.
  public let problem: String
  /// What would be right.
  public let expected: String

  /// `file:line:column: key: problem; expected`.
  public var description: String {
    let key = keyPath.isEmpty ? "" : "\(keyPath): "
    return "\(origin): \(key)\(problem)" + (expected.isEmpty ? "" : "; \(expected)")
  }
}

/// Every error of a configuration, in the order of the document; never empty.
public struct ConfigurationErrors: Error, Sendable, Equatable, CustomStringConvertible {
  /// The errors.
  public let errors: [ConfigurationError]

  init(errors: [ConfigurationError]) {
    self.errors = errors
  }

  /// The file itself cannot be read.
  public init(unreadable file: String, because reason: String) {
    errors = [ConfigurationError(origin: .setting(name: file), keyPath: "", problem: reason, expected: "")]
  }

  /// One error a line.
  public var description: String {
    errors.map(\.description).joined(separator: "\n")
  }
}

/// Where a setting was written.
public enum ConfigurationOrigin: Sendable, Hashable, CustomStringConvertible {
  /// In a file; lines and columns count from 1, columns in Unicode scalars.
  case file(name: String, line: Int, column: Int)
  /// In a flag or an environment variable, by name.
  case setting(name: String)
  /// Nowhere: a default.
  case none

  /// `sluice.yaml:3:7`, or the name of a flag or variable.
  public var description: String {
    switch self {
    case .file(let name, let line, let column): "\(name):\(line):\(column)"
    case .setting(let name): name
    case .none: "default"
    }
  }
}
