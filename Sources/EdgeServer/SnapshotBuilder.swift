import EdgeAuth
import EdgeConfig
import EdgeIO
import EdgeRouting
import EdgeTLS

/// Turns a configuration into what the reactors use, reading the key files that it names.
struct SnapshotBuilder {
  private let configuration: Configuration
  private let pools: [String: WorkerPoolState]

  init(_ configuration: Configuration, pools: [WorkerPoolState]) {
    self.configuration = configuration
    self.pools = Dictionary(uniqueKeysWithValues: pools.map { ($0.name, $0) })
  }

  /// - Throws: `StartError.configuration` when a file cannot be used.
  func build() throws(StartError) -> Snapshot {
    var gates: [String: TokenGate] = [:]
    for (name, auth) in configuration.auth { gates[name] = try TokenGate(name, auth) }
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

extension TokenGate {
  fileprivate convenience init(_ name: String, _ auth: Configuration.Auth) throws(StartError) {
    let keys = try VerifierKeys(auth, name: name)
    let requirements = TokenRequirements(
      issuer: auth.issuer, audiences: auth.audience, algorithms: auth.algorithms, userClaim: auth.userClaim,
      requiredClaims: auth.requiredClaims, leeway: auth.leeway)
    self.init(
      name: name, sources: auth.tokenFrom, verifier: TokenVerifier(requirements: requirements, keys: keys.described),
      keys: VerificationKeys(keys.keys))
  }
}

/// The keys of one `auth`, out of the file that it names.
private struct VerifierKeys {
  private(set) var keys: [VerificationKey] = []
  private(set) var described: [TokenKey] = []

  init(_ auth: Configuration.Auth, name: String) throws(StartError) {
    do {
      switch auth.keys {
      case .file(let path):
        let bytes = try FileSystem.readFile(path, maxBytes: maxKeyFileBytes)
        if bytes.starts(with: "-----BEGIN".utf8) {
          let key = try VerificationKey(pem: bytes)
          add(key, try TokenKey(id: nil, fitting: key.algorithms, allowed: auth.algorithms))
        } else {
          for key in try KeySet(parsing: bytes, algorithms: auth.algorithms).keys {
            add(try VerificationKey(key), key.tokenKey)
          }
        }
      case .secretFile(let path):
        let secret = try FileSystem.readFile(path, maxBytes: maxKeyFileBytes)
        let key = try JSONWebKey(id: nil, material: .oct(secret), allowed: auth.algorithms)
        add(try VerificationKey(key), key.tokenKey)
      case .url(let url, refresh: _, staleFor: _):
        throw StartError.configuration("auth \(name): keys from a URL (\(url)) are not supported yet")
      }
    } catch let error as StartError {
      throw error
    } catch {
      throw .configuration("auth \(name): \(auth.keyFile): \(error)")
    }
    guard !keys.isEmpty else {
      throw .configuration("auth \(name): \(auth.keyFile) holds no usable key for \(auth.algorithms.map(\.rawValue))")
    }
  }

  private mutating func add(_ key: VerificationKey, _ description: TokenKey) {
    keys.append(key)
    described.append(description)
  }
}

extension Configuration.Auth {
  fileprivate var keyFile: String {
    switch keys {
    case .file(let path), .secretFile(let path): path
    case .url(let url, refresh: _, staleFor: _): url
    }
  }
}

private let maxKeyFileBytes = 1 << 20
