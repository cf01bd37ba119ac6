import ArgumentParser
import EdgeIO

/// A load generator for WebSocket proxies that checks what it gets: every answer to an opening handshake and every byte that comes back.
///
/// It loads loopback addresses only, in amounts that it is told, and stops by itself. Exit codes: 0 all was as it should
/// be · 1 something was not · 64 usage.
@main
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sluice-bench",
    abstract: "Loads a WebSocket proxy on this machine, and says what that cost it.",
    subcommands: [
      EchoCommand.self, RateCommand.self, ConnectCommand.self, IdleCommand.self, FanOutCommand.self, WorkerCommand.self,
    ])
}

/// What one run comes to on the terminal, the same for every load.
func run(_ load: Load, as format: ReportFormat) throws {
  DescriptorLimit.raise()
  do {
    try load.run()
  } catch {
    StandardStreams.writeError("sluice-bench: \(error)\n")
    throw ExitCode.failure
  }
  format.write(load.report())
}
