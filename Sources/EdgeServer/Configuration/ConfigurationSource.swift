public import EdgeConfig
import EdgeIO

/// Where the configuration comes from, so that it can be read again: a file, and what flags and the environment say beside it.
public struct ConfigurationSource: Sendable {
  /// What errors and logs call it: the file's path.
  public let name: String
  private let content: Content
  private let environment: [String: String]
  private let overrides: [ConfigurationOverride]

  private enum Content: Sendable {
    case file
    case text(String)
  }

  /// Reads a file each time.
  ///
  /// - Parameters:
  ///   - environment: all environment variables.
  ///   - overrides: settings from flags; a later one wins.
  public init(file: String, environment: [String: String] = [:], overrides: [ConfigurationOverride] = []) {
    name = file
    content = .file
    self.environment = environment
    self.overrides = overrides
  }

  /// Says the same each time; the files that it names may change.
  public init(text: String, name: String) {
    self.name = name
    content = .text(text)
    environment = [:]
    overrides = []
  }

  /// Reads and validates the configuration.
  ///
  /// - Throws: everything that is wrong with it.
  public func read() throws(ConfigurationErrors) -> Configuration {
    try parse(try text())
  }

  /// Validates a text as if it were the file's.
  ///
  /// - Throws: everything that is wrong with it.
  public func parse(_ text: String) throws(ConfigurationErrors) -> Configuration {
    try Configuration.load(file: text, fileName: name, environment: environment, overrides: overrides)
  }

  private func text() throws(ConfigurationErrors) -> String {
    if case .text(let text) = content { return text }
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try FileSystem.readFile(name, maxBytes: maxFileBytes)
    } catch {
      throw ConfigurationErrors(unreadable: name, because: "\(error)")
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ConfigurationErrors(unreadable: name, because: "not UTF-8")
    }
    return text
  }
}

private let maxFileBytes = 1 << 20
