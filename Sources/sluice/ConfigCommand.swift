import ArgumentParser
import EdgeConfig
import EdgeIO

/// `sluice config`: shows settings as they are in force.
struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Prints the configuration in force, or the defaults, as YAML.")

  @Flag(help: "Print the defaults, without reading a file.")
  var defaults = false

  @Flag(help: "Print file, environment, flags and defaults together (what is printed anyway).")
  var effective = false

  @Option(name: [.customShort("c"), .long], help: "The configuration, YAML or JSON.")
  var config: String?

  @Option(name: .customLong("set"), help: ArgumentHelp("Replaces one setting.", valueName: "key.path=value"))
  var overrides: [SettingArgument] = []

  func validate() throws {
    guard !(defaults && effective) else { throw ValidationError("--defaults and --effective exclude each other") }
    guard defaults || config != nil else { throw ValidationError("Name the configuration with -c FILE, or ask for --defaults") }
  }

  func run() throws {
    guard !defaults, let config else { return StandardStreams.writeOutput(Configuration.defaultsYAML()) }
    var options = ConfigurationOptions()
    options.config = config
    options.overrides = overrides
    StandardStreams.writeOutput(try options.load().effectiveYAML())
  }
}
