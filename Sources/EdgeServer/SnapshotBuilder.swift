import EdgeConfig
import EdgeRouting

/// Turns a configuration into what the reactors use.
struct SnapshotBuilder {
  private let configuration: Configuration
  private let pools: [String: WorkerPoolState]
  private let keys: KeySources

  init(_ configuration: Configuration, pools: [WorkerPoolState], keys: KeySources) {
    self.configuration = configuration
    self.keys = keys
    self.pools = Dictionary(uniqueKeysWithValues: pools.map { ($0.name, $0) })
  }

  /// - Throws: `StartError.configuration` when parts do not fit together.
  func build() throws(StartError) -> Snapshot {
    var gates: [String: TokenGate] = [:]
    for (name, auth) in configuration.auth {
      guard let ring = keys.rings[name] else { throw .configuration("auth \(name): no keys") }
      gates[name] = TokenGate(sources: auth.tokenFrom, keys: ring, fetcher: keys.fetchers[name])
    }
    var routes: [Route] = []
    for (index, route) in configuration.routes.enumerated() {
      guard let pool = pools[route.pool] else { throw .configuration("route \(route.name): unknown pool \(route.pool)") }
      routes.append(
        Route(route, index: index, pool: pool, gate: route.auth.flatMap { gates[$0] }, timeouts: configuration.timeouts))
    }
    return Snapshot(configuration: configuration, routes: routes, table: try table())
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
