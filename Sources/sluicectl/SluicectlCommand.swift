import ArgumentParser

/// The command line of who operates an edge.
@main
struct SluicectlCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sluicectl",
    abstract: "Looks at a running edge, and acts on it: connections, rules, workers, drain, configuration.",
    discussion: """
      Speaks with the admin plane of one edge: by default over /run/sluice/admin.sock, where root and the edge's own user may do \
      everything. Over TCP it needs a token: `sluicectl token new` makes one.

      What closes connections of many asks first on a terminal, and needs --yes elsewhere.

      Exit codes: 0 done · 1 failure · 64 wrong command line · 65 nothing matched · 69 the edge does not answer · 77 denied · \
      78 bad configuration.
      """,
    groupedSubcommands: [
      CommandGroup(
        name: "Looking",
        subcommands: [
          StatusCommand.self, TopCommand.self, EventsCommand.self, ConnectionsCommand.self, ConnectionCommand.self,
          WorkersCommand.self, RoutesCommand.self, CertificatesCommand.self, KeysCommand.self, ConfigCommand.self,
        ]),
      CommandGroup(
        name: "Client",
        subcommands: [
          KickCommand.self, ThrottleCommand.self, UnthrottleCommand.self, BanCommand.self, UnbanCommand.self, BansCommand.self,
          RevokeCommand.self, RulesCommand.self,
        ]),
      CommandGroup(
        name: "Running",
        subcommands: [
          WorkerCommand.self, DrainCommand.self, UndrainCommand.self, ReloadCommand.self, ValidateCommand.self,
          LogLevelCommand.self, TokenCommand.self,
        ]),
    ])

  @OptionGroup(title: "Which edge") var options: ControlOptions
}
