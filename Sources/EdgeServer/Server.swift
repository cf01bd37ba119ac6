import EdgeAdmin
public import EdgeConfig
import EdgeCore
public import EdgeIO
import EdgeRouting
import EdgeTLS
import EdgeTelemetry
import EdgeWebSocket

/// The whole edge: reactors, admin plane, log threads, and the control loop that looks for workers and drains.
///
/// ```swift
/// let server = try Server(try source.read(), from: source, version: version)
/// server.run()  // until SIGTERM or SIGINT, and the drain behind it
/// ```
public final class Server {
  private let signals: SignalRelay
  private let controlReactor: Reactor
  private let controlOrders: Mailbox<ControlOrder>
  private let shared: SharedState
  private let logs: EdgeLogs
  private let reactors: [EdgeReactor]
  private let reloader: Reloader
  private let admin: AdminServer
  /// Where clients are served, in the order of the configuration, such as `127.0.0.1:8443`; ports are the real ones.
  public let addresses: [String]
  /// Where operators are served, likewise.
  public let adminAddresses: [String]

  /// Binds every address, reads every file the configuration names, and starts the threads: clients are served from here on.
  ///
  /// Make it on the main thread, before any other thread exists: signals are blocked here.
  ///
  /// - Parameters:
  ///   - source: where the configuration is from, and where a reload finds the next one.
  ///   - inherited: the sockets that the service manager passed, for addresses such as `fd://edge`.
  ///   - manager: the service manager, if it wants to know how the edge is.
  /// - Throws: `StartError`; nothing is served then, and the process is expected to end.
  public init(
    _ configuration: Configuration, from source: ConfigurationSource, version: EdgeVersion,
    inherited: InheritedSockets = InheritedSockets(), manager: ServiceManager? = nil
  ) throws(StartError) {
    Machine.keepFreeMemory()
    do {
      let controlReactor = try Reactor()
      signals = try SignalRelay(on: controlReactor)
      let logs = try EdgeLogs(configuration)
      let threads = configuration.threadCount
      let tickets = TicketKeyRing(now: controlReactor.now)
      let snapshot = try SnapshotBuilder(configuration, tickets: tickets, inherited: inherited, log: logs.main)
        .build(reactors: threads)
      let mailboxes = try (0..<threads).map { _ in try Mailbox<ReactorOrder>() }
      let shared = SharedState(
        snapshot: snapshot, logs: logs, reserve: DescriptorReserve(count: descriptorReserve), tickets: tickets,
        inherited: inherited, rules: try RuleStore(configuration, log: logs.main),
        service: ServiceReport(manager), mailboxes: mailboxes)
      try KeyFetcher.start(snapshot.fetchers, log: logs.main)
      let reactors = try (0..<threads).map { index in
        try EdgeReactor(index: index, shared: shared, mailbox: mailboxes[index])
      }
      let controlOrders = try Mailbox<ControlOrder>()
      let access = try AdminAccess(configuration.admin, inherited: inherited)
      let reloader = try Reloader(
        Reload(source, shared: shared, reactors: reactors, control: controlOrders, logs: logs, admin: access))
      let plane = AdminPlane(shared: shared, reactors: reactors, reloader: reloader, logs: logs, version: version)
      (admin, adminAddresses) = try AdminServer.start(
        configuration.admin, inherited: inherited, access: access, backend: plane, log: logs.main)
      addresses = snapshot.sockets.map(\.address)
      self.controlReactor = controlReactor
      self.controlOrders = controlOrders
      self.logs = logs
      self.shared = shared
      self.reactors = reactors
      self.reloader = reloader
    } catch let error as StartError {
      throw error
    } catch {
      throw .system("\(error)")
    }
    for (listener, address) in zip(configuration.listeners, addresses) {
      shared.log.write(.info, "listener.ready", "Clients are served.") { line in
        line.add(.listener, listener.name)
        line.add(.serverAddress, address)
      }
    }
    tellUnused(inherited, configuration)
  }

  /// A socket that nobody accepts from lets its clients wait for good.
  private func tellUnused(_ inherited: InheritedSockets, _ configuration: Configuration) {
    for name in inherited.unused(by: configuration.passedSocketNames) {
      shared.log.write(.warning, "listener.unused", "A socket was passed that no address of the configuration names.") { line in
        line.add(.serverAddress, name)
      }
    }
  }

  /// Reads every file that a configuration names, as `init` would, without serving.
  ///
  /// - Throws: `StartError.configuration` for the first file that cannot be used.
  public static func checkFiles(of configuration: Configuration) throws(StartError) {
    _ = try SnapshotBuilder(configuration, tickets: TicketKeyRing(now: MonotonicClock.now()), log: nil).build(reactors: 0)
    _ = try AdminTokens.read(configuration.admin)
  }

  /// Serves until a signal ends it and the drain is over. Call it once, on the main thread.
  public func run() {
    let control = ControlLoop(
      reactor: controlReactor, shared: shared, reloader: reloader, logs: logs, admin: admin, reactors: reactors)
    control.run(signals: signals, orders: controlOrders)
    reloader.stop()
    for reactor in reactors { reactor.join() }
    admin.stop()
    let fetchers = shared.snapshot.fetchers
    for fetcher in fetchers { fetcher.stop() }
    for fetcher in fetchers { fetcher.join() }
    shared.rules.finish()
    logs.finish()
  }
}

/// Descriptors kept for the admin plane, logs and workers at a time when clients have taken all others.
private let descriptorReserve = 16
