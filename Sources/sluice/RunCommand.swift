import ArgumentParser
import EdgeIO
import EdgeServer
import EdgeTLS

/// `sluice run`: serves until a signal ends it.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Serves clients until SIGTERM or SIGINT, then drains; a second signal stops at once.")

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let (inherited, manager) = (InheritedSockets.take(), ServiceManager.take())
    let configuration = try options.load()
    SignalSource.ignoreBrokenPipes()
    TLSLibrary.keepMemory()
    do throws(StartError) {
      try Server(configuration, from: options.source, version: .current, inherited: inherited, manager: manager).run()
    } catch {
      throw ExitCode.saying(error)
    }
  }
}
