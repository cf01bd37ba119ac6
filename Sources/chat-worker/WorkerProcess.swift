import ChatCore
import EdgeCore
import EdgeIO
import EdgeTLS
import Glibc

/// The worker cannot have its socket.
struct ListenError: Error, CustomStringConvertible {
  let path: String
  let cause: SystemError

  var description: String { "\(path): \(cause.description)" }
}

/// The process from start to end: signals, socket, and the order in which it stops.
final class WorkerProcess: EventSource {
  private enum Stage {
    case serving
    /// Members were sent 1012 and go.
    case draining(until: Instant)
    /// The broker says farewell.
    case leaving(until: Instant)
  }

  private let reactor: Reactor
  private let server: ChatServer
  private let broker: EmbeddedBroker
  private let listener: ClientListener
  private let path: String
  private let identity: FileIdentity?
  private let log: WorkerLog
  private var stage = Stage.serving

  init(
    listen: UnixSocketPath, broker brokerPath: UnixSocketPath, limits: ChatLimits, login: Login?, allowsAnonymous: Bool,
    log: WorkerLog
  ) throws {
    let node = NodeID(random: SecureRandom.word())
    path = listen.path
    self.log = log
    reactor = try Reactor()
    server = ChatServer(
      reactor: reactor, node: node, limits: limits, site: Site(login: login), allowsAnonymous: allowsAnonymous, log: log)
    broker = EmbeddedBroker(path: brokerPath.path, node: node, limits: limits, reactor: reactor, server: server, log: log)
    do {
      let socket = SharedSocket(try Socket.listen(unixPath: path, mode: 0o660))
      listener = ClientListener(socket, server: server, reactor: reactor)
    } catch {
      throw ListenError(path: path, cause: error)
    }
    identity = FileSystem.fileIdentity(path)
    super.init()
  }

  /// Serves until TERM or INT.
  func run() throws {
    let signals = try SignalSource([SIGTERM, SIGINT]) { [unowned self] _ in signalled() }
    try signals.attach(to: reactor)
    reactor.add(self)
    server.start(broker: broker)
    broker.start()
    try listener.start()
    log.write("listening", [.init(name: "path", value: .string(path))])
    reactor.run()
    log.write("stopped", server.counts)
  }

  override func timerFired() {
    switch stage {
    case .serving:
      return
    case .draining(let deadline):
      guard server.isEmpty || reactor.now >= deadline else { break }
      broker.stop()
      stage = .leaving(until: reactor.now + farewellTimeout)
    case .leaving(let deadline):
      guard broker.isFlushed || reactor.now >= deadline else { break }
      reactor.stop()
      return
    }
    reactor.setTimer(self, at: reactor.now + pollInterval)
  }

  /// The first signal stops the worker in order, the second at once.
  private func signalled() {
    switch stage {
    case .serving:
      log.write("stopping")
      listener.stop()
      if let identity { FileSystem.removeSocket(path, identity: identity) }
      stage = .draining(until: reactor.now + drainTimeout)
      server.drain()
      reactor.setTimer(self, at: reactor.now + pollInterval)
    case .draining, .leaving:
      reactor.stop()
    }
  }
}

/// Takes the edge's connections.
private final class ClientListener: Listener {
  private unowned let server: ChatServer

  init(_ socket: SharedSocket, server: ChatServer, reactor: Reactor) {
    self.server = server
    super.init(socket, isShared: false, on: reactor)
  }

  override func accepted(_ client: consuming Socket, from peer: PeerAddress) {
    server.accepted(client)
  }
}

private let drainTimeout = Duration.seconds(2)
private let farewellTimeout = Duration.seconds(1)
private let pollInterval = Duration.milliseconds(20)
