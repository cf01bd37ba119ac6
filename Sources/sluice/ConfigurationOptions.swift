import ArgumentParser
import EdgeConfig
import EdgeCore
import EdgeIO

/// Where the configuration comes from: flag before environment before file before default.
struct ConfigurationOptions: ParsableArguments {
  @Option(name: [.customShort("c"), .long], help: "The configuration, YAML or JSON.")
  var config: String

  @Option(name: .customLong("set"), help: ArgumentHelp("Replaces one setting.", valueName: "key.path=value"))
  var overrides: [SettingArgument] = []

  /// Reads and validates the configuration.
  ///
  /// - Throws: exit code 78, after every error was printed.
  func load() throws -> Configuration {
    let text: String
    do {
      let bytes = try FileSystem.readFile(config, maxBytes: maxConfigurationBytes)
      guard let valid = String(validating: bytes, as: UTF8.self) else {
        throw ExitCode.configuration.saying("\(config): not UTF-8")
      }
      text = valid
    } catch let error as FileError {
      throw ExitCode.configuration.saying("\(config): \(error)")
    }
    do {
      return try Configuration.load(
        file: text, fileName: config, environment: ProcessEnvironment.variables, overrides: overrides.map(\.override))
    } catch {
      throw ExitCode.configuration.saying(error.description)
    }
  }
}

/// `key.path=value` on the command line.
struct SettingArgument: ExpressibleByArgument {
  let override: ConfigurationOverride

  init?(argument: String) {
    let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else { return nil }
    override = ConfigurationOverride(name: "--set \(parts[0])", keyPath: String(parts[0]), value: String(parts[1]))
  }
}

private let maxConfigurationBytes = 1 << 20
