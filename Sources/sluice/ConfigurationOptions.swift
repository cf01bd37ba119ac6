import ArgumentParser
import EdgeConfig
import EdgeCore
import EdgeIO
import EdgeServer

/// Where the configuration comes from: flag before environment before file before default.
struct ConfigurationOptions: ParsableArguments {
  @Option(name: [.customShort("c"), .long], help: "The configuration, YAML or JSON.")
  var config: String

  @Option(name: .customLong("set"), help: ArgumentHelp("Replaces one setting.", valueName: "key.path=value"))
  var overrides: [SettingArgument] = []

  /// The file, the environment and the flags.
  var source: ConfigurationSource {
    ConfigurationSource(file: config, environment: ProcessEnvironment.variables, overrides: overrides.map(\.override))
  }

  /// Reads and validates the configuration.
  ///
  /// - Throws: exit code 78, after every error was printed.
  func load() throws -> Configuration {
    do {
      return try source.read()
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
