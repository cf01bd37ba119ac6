import EdgeConfig
import EdgeIO
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
    let affinities = try affinities()
    var routes: [Route] = []
    for (index, route) in configuration.routes.enumerated() {
      guard let pool = pools[route.pool], let affinity = affinities[route.pool] else {
        throw .configuration("route \(route.name): unknown pool \(route.pool)")
      }
      routes.append(
        Route(
          route, index: index, pool: pool, affinity: affinity, gate: route.auth.flatMap { gates[$0] },
          timeouts: configuration.timeouts))
    }
    return Snapshot(configuration: configuration, routes: routes, table: try table())
  }

  /// What ties clients to workers, by pool.
  private func affinities() throws(StartError) -> [String: ClientAffinity] {
    var affinities: [String: ClientAffinity] = [:]
    for settings in configuration.pools {
      guard let pool = pools[settings.name] else { continue }
      switch settings.balance {
      case .any: affinities[settings.name] = ClientAffinity.none
      case .hash(let key): affinities[settings.name] = .hash(key)
      case .cookie:
        let secret = try settings.cookieSecretFile.map { path throws(StartError) in try cookieSecret(at: path, of: settings.name)
        }
        affinities[settings.name] = .cookie(StickyCookie(pool: pool, secret: secret ?? processSecret))
      }
    }
    return affinities
  }

  private func cookieSecret(at path: String, of pool: String) throws(StartError) -> [UInt8] {
    let secret: [UInt8]
    do {
      secret = try FileSystem.readFile(path, maxBytes: maxSecretBytes)
    } catch {
      throw .configuration("pools.\(pool).cookie_secret_file \(path): \(error)")
    }
    guard secret.count >= minSecretBytes else {
      throw .configuration("pools.\(pool).cookie_secret_file \(path): \(secret.count) bytes; expected at least \(minSecretBytes)")
    }
    return secret
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

private let minSecretBytes = 32
private let maxSecretBytes = 4_096
/// Signs cookies where no file is given: they hold for this process, through every reload.
private let processSecret = (0..<minSecretBytes).map { _ in UInt8.random(in: .min ... .max) }
