import ArgumentParser
import EdgeIO

/// `sluice check`: says whether a configuration is valid.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Validates a configuration: exit 0, or 78 with every error as file:line:col.")

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    _ = try options.load()
    StandardStreams.writeOutput("\(options.config): valid\n")
  }
}
