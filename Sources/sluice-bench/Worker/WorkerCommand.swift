import ArgumentParser
import EdgeIO
import Glibc

/// `sluice-bench worker`: something cheap behind the proxy.
struct WorkerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Echoes WebSocket messages behind a proxy, until SIGTERM or SIGINT.")

  @Option(help: "The Unix socket to listen on.")
  var listen: String

  @Flag(help: "Give each message to all others instead of back to its sender.")
  var broadcast = false

  func run() throws {
    SignalSource.ignoreBrokenPipes()
    DescriptorLimit.raise()
    let reactor = try Reactor()
    let signals = try SignalSource([SIGINT, SIGTERM]) { [unowned reactor] _ in reactor.stop() }
    try signals.attach(to: reactor)
    let socket = try Socket.listen(unixPath: listen)
    let identity = FileSystem.fileIdentity(listen)
    let listener = WorkerListener(SharedSocket(socket), broadcasts: broadcast, reactor: reactor)
    try listener.start()
    reactor.run()
    if let identity { FileSystem.removeSocket(listen, identity: identity) }
  }
}
