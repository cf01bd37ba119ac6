import ArgumentParser

/// The command line of the edge.
///
/// Exit codes: 0 ok · 1 failure · 64 usage · 69 cannot bind · 78 bad configuration.
@main
struct SluiceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sluice",
    abstract: "An edge router for WebSockets: TLS, origin and token checks, limits, and routing to workers on Unix sockets.",
    subcommands: [
      RunCommand.self, CheckCommand.self, ConfigCommand.self, DemoCommand.self, TokenCommand.self, VersionCommand.self,
    ],
    defaultSubcommand: RunCommand.self)
}
