import EdgeAdmin
public import EdgeConfig
import EdgeCore
import EdgeIO
import EdgeRouting
import EdgeTLS
import EdgeTelemetry
import EdgeWebSocket

/// The whole edge: reactors, admin plane, log threads, and the control loop that looks for workers and drains.
///
/// ```swift
/// let server = try Server(configuration, version: version)
/// server.run()  // until SIGTERM or SIGINT, and the drain behind it
/// ```
public final class Server {
  private let signals: SignalRelay
  private let controlReactor: Reactor
  private let shared: SharedState
  private let keys: KeySources
  private let logs: EdgeLogs
  private let configuration: Configuration
  private let reactors: [EdgeReactor]
  private let admin: AdminServer
  /// Where clients are served, in the order of the configuration, such as `127.0.0.1:8443`; ports are the real ones.
  public let addresses: [String]

  /// Binds every address, reads every file the configuration names, and starts the threads: clients are served from here on.
  ///
  /// Make it on the main thread, before any other thread exists: signals are blocked here.
  ///
  /// - Throws: `StartError`; nothing is served then, and the process is expected to end.
  public init(_ configuration: Configuration, version: EdgeVersion) throws(StartError) {
    do {
      let controlReactor = try Reactor()
      signals = try SignalRelay(on: controlReactor)
      let now = controlReactor.now
      let logs = try EdgeLogs(configuration)
      let threads = configuration.threadCount
      let tickets = TicketKeyRing(now: now)
      let mailboxes = try (0..<threads).map { _ in try Mailbox<ReactorOrder>() }
      let shared = SharedState(
        pools: configuration.pools.map { WorkerPoolState($0) },
        listeners: try ListenerContext.all(of: configuration, tickets: tickets),
        logs: logs, reserve: DescriptorReserve(count: descriptorReserve), tickets: tickets,
        limits: try configuration.edgeLimits(logs.main), rules: try RuleStore(configuration, log: logs.main), mailboxes: mailboxes
      )
      for pool in shared.pools { _ = pool.rescan(now: now) }
      let keys = try KeySources(configuration, now: now)
      let snapshot = try SnapshotBuilder(configuration, pools: shared.pools, keys: keys).build()
      try keys.startFetching(log: logs.main)
      let sockets = try configuration.listeners.map { try ListenerSockets($0.address, reactors: threads) }
      let layout = MetricLayout(
        routes: configuration.routes.map(\.name), listeners: configuration.listeners.map(\.name),
        protocolErrors: FrameError.allCases.map(\.rawValue))
      let reactors = try (0..<threads).map { index in
        try EdgeReactor(
          index: index, shared: shared, snapshot: snapshot, metrics: ReactorMetrics(layout: layout), mailbox: mailboxes[index],
          sockets: sockets.map { $0.sockets[index] })
      }
      let plane = AdminPlane(
        shared: shared, reactors: reactors, snapshot: snapshot, keys: keys, logs: logs,
        version: version)
      admin = try AdminServer.start(configuration.admin, backend: plane, log: logs.main)
      addresses = sockets.map(\.address)
      self.configuration = configuration
      self.controlReactor = controlReactor
      self.logs = logs
      self.shared = shared
      self.keys = keys
      self.reactors = reactors
    } catch let error as StartError {
      throw error
    } catch {
      throw .system("\(error)")
    }
    for (listener, address) in zip(configuration.listeners, addresses) {
      shared.log.write(.info, "listener.ready", "Clients are served.") { record in
        record[.listener] = .text(listener.name)
        record[.serverAddress] = .text(address)
      }
    }
  }

  /// Reads every file that a configuration names, as `init` would, without serving.
  ///
  /// - Throws: `StartError.configuration` for the first file that cannot be used.
  public static func checkFiles(of configuration: Configuration) throws(StartError) {
    let now = MonotonicClock.now()
    _ = try ListenerContext.all(of: configuration, tickets: TicketKeyRing(now: now))
    let keys = try KeySources(configuration, now: now)
    _ = try SnapshotBuilder(configuration, pools: configuration.pools.map { WorkerPoolState($0) }, keys: keys).build()
    try AdminServer.checkFiles(of: configuration.admin)
  }

  /// Serves until a signal ends it and the drain is over. Call it once, on the main thread.
  public func run() {
    let checks = zip(shared.pools, configuration.pools).compactMap { pool, settings in settings.health.map { (pool, $0) } }
    let control = ControlLoop(
      reactor: controlReactor, shared: shared, keys: keys, logs: logs, reactors: reactors, checks: checks,
      settings: configuration.drain)
    control.run(signals: signals)
    for reactor in reactors { reactor.join() }
    admin.stop()
    keys.stop()
    shared.rules.finish()
    for log in logs.all { log.finish() }
  }
}

/// Descriptors kept for the admin plane, logs and workers at a time when clients have taken all others.
private let descriptorReserve = 16
