import EdgeConfig
import EdgeCore
import EdgeIO
import EdgeRouting
import EdgeTLS
import EdgeTelemetry
import EdgeWebSocket

/// Turns a configuration into what the reactors use: reads the files that it names, and binds its addresses.
///
/// Nothing of it is in force before somebody puts it there, and nothing that is in force is changed: what a builder has made and
/// nobody wants is let go of.
struct SnapshotBuilder {
  private let configuration: Configuration
  /// What is in force: what stays the same is taken from there, with its state.
  private let previous: Snapshot?
  private let tickets: TicketKeyRing
  private let inherited: InheritedSockets
  private let log: EdgeLog?

  init(
    _ configuration: Configuration, replacing previous: Snapshot? = nil, tickets: TicketKeyRing,
    inherited: InheritedSockets = InheritedSockets(), log: EdgeLog?
  ) {
    self.configuration = configuration
    self.previous = previous
    self.tickets = tickets
    self.inherited = inherited
    self.log = log
  }

  /// - Parameter reactors: how many of them accept clients; with none, nothing is bound.
  /// - Throws: `StartError` when a file or an address cannot be used, or parts do not fit together.
  func build(reactors: Int) throws(StartError) -> Snapshot {
    let now = MonotonicClock.now()
    let layout = metricLayout
    let listeners = try ListenerContext.all(
      of: configuration, indices: layout.indices(ofListeners: configuration.listeners.map(\.name)), tickets: tickets)
    let keys = try AuthKeys.all(of: configuration, keeping: previous?.keys ?? [:], now: now)
    let admission = try configuration.admissionLimits(replacing: previous, log: log)
    let pools = pools(now: now)
    let routes = try routes(pools: pools, keys: keys, layout: layout)
    let table = try table()
    let sockets =
      reactors == 0
      ? [] : try ListenerSockets.all(of: configuration, keeping: previous, inherited: inherited, reactors: reactors)
    return Snapshot(
      configuration, routes: routes, table: table, pools: pools, listeners: listeners, sockets: sockets, keys: keys,
      admission: admission, metricLayout: layout)
  }

  private var metricLayout: MetricLayout {
    let none = MetricLayout(routes: [], listeners: [], protocolErrors: FrameError.allCases.map(\.rawValue))
    return (previous?.metricLayout ?? none)
      .adding(routes: configuration.routes.map(\.name), listeners: configuration.listeners.map(\.name))
  }

  /// A pool of the same name is the same pool, and takes its settings over when they are put in force.
  private func pools(now: Instant) -> [WorkerPoolState] {
    configuration.pools.map { settings in
      if let pool = previous?.pools.first(where: { $0.name == settings.name }) { return pool }
      let pool = WorkerPoolState(settings)
      _ = pool.rescan(now: now)
      return pool
    }
  }

  private func routes(
    pools: [WorkerPoolState], keys: [String: AuthKeys], layout: MetricLayout
  ) throws(StartError) -> [Route] {
    let gates = keys.mapValues { TokenGate(sources: $0.settings.tokenFrom, keys: $0.ring, fetcher: $0.fetcher) }
    let indices = layout.indices(ofRoutes: configuration.routes.map(\.name))
    let affinities = try affinities(pools)
    var routes: [Route] = []
    for (route, index) in zip(configuration.routes, indices) {
      guard let pool = pools.first(where: { $0.name == route.pool }), let affinity = affinities[route.pool] else {
        throw .configuration("route \(route.name): unknown pool \(route.pool)")
      }
      routes.append(
        Route(
          route, index: index, pool: pool, affinity: affinity, gate: route.auth.flatMap { gates[$0] },
          timeouts: configuration.timeouts))
    }
    return routes
  }

  private func affinities(_ pools: [WorkerPoolState]) throws(StartError) -> [String: ClientAffinity] {
    var affinities: [String: ClientAffinity] = [:]
    for (settings, pool) in zip(configuration.pools, pools) {
      affinities[pool.name] = try ClientAffinity(settings, pool: pool)
    }
    return affinities
  }

  private func table() throws(StartError) -> RouteTable {
    do {
      return try RouteTable(configuration.routes.map(\.match))
    } catch {
      let names = [error.first, error.second].map { configuration.routes[$0].name }
      throw .configuration("routes \(names[0]) and \(names[1]) match the same requests")
    }
  }
}
