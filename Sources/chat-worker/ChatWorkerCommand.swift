import ArgumentParser
import ChatCore
import EdgeCore
import EdgeIO
import EdgeTLS

/// The command line of the chat worker.
///
/// Exit codes: 0 stopped as asked · 1 failure · 64 usage · 69 cannot listen · 78 a file that it was given is of no use.
@main
struct ChatWorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chat-worker",
    abstract: "Serves chat behind the edge: rooms, presence, typing, history and resume.",
    discussion: """
      Listens on a Unix socket that only the edge may reach, and believes the edge's X-Sluice-User field and nothing else \
      about who a client is. Workers that are given the same broker path share their rooms.
      """)

  @Option(help: "Where the edge connects: unix:/path/a.sock")
  var listen: UnixSocketPath

  @Option(help: "Where workers of one machine meet: unix:/path/broker.sock")
  var broker: UnixSocketPath

  @Option(help: "Messages that a newcomer to a room is shown.")
  var history = ChatLimits().historyMessages

  @Option(help: "Messages that a room keeps to resume from.")
  var retain = ChatLimits().retainedMessages

  @Flag(help: "Let clients in whom the edge does not name, as guests.")
  var allowAnonymous = false

  @OptionGroup(title: "Demo login")
  var login: LoginOptions

  func validate() throws {
    guard (0...1_000).contains(history) else { throw ValidationError("--history must be 0 to 1000") }
    guard (1...10_000).contains(retain), retain >= history else {
      throw ValidationError("--retain must be 1 to 10000, and not below --history")
    }
    guard listen != broker else { throw ValidationError("--listen and --broker must differ") }
  }

  func run() throws {
    let log = try WorkerLog()
    let login = try login.makeLogin(log: log)
    do {
      SignalSource.ignoreBrokenPipes()
      _ = DescriptorLimit.raise()
      try WorkerProcess(listen: listen, broker: broker, limits: limits, login: login, allowsAnonymous: allowAnonymous, log: log)
        .run()
    } catch let error as ListenError {
      log.write("listen_failed", [.init(name: "error.type", value: .string(error.description))])
      throw ExitCode(69)
    }
  }

  private var limits: ChatLimits {
    var limits = ChatLimits()
    limits.historyMessages = history
    limits.retainedMessages = retain
    return limits
  }
}

/// A Unix socket's address on the command line: `unix:/run/chat/a.sock`.
struct UnixSocketPath: ExpressibleByArgument, Equatable {
  let path: String

  init?(argument: String) {
    guard argument.hasPrefix("unix:") else { return nil }
    path = String(argument.dropFirst("unix:".count))
    guard path.hasPrefix("/"), path.utf8.count <= 100, !path.utf8.contains(0) else { return nil }
  }
}
