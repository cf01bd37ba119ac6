import ArgumentParser
import EdgeConfig
import EdgeIO
import EdgeServer

/// `sluice check`: says whether a configuration is valid.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Validates a configuration and the files it names: exit 0, or 78 with every error as file:line:col.")

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let configuration = try options.load()
    do throws(StartError) {
      try Server.checkFiles(of: configuration)
    } catch {
      throw ExitCode.saying(error)
    }
    StandardStreams.writeOutput("\(options.config): valid\n")
    for name in configuration.passedSocketNames {
      StandardStreams.writeOutput("fd://\(name) can only be looked at when the service manager passes it, at the start\n")
    }
  }
}
