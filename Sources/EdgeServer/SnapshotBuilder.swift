import EdgeAuth
import EdgeConfig
import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgeRelay
import EdgeRouting
import EdgeTLS
import EdgeWebSocket

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
        try Route(
          route, index: index, pool: pool, gate: route.auth.flatMap { gates[$0] }, closeTimeout: configuration.timeouts.close))
    }
    return Snapshot(configuration: configuration, routes: routes, table: try table())
  }

  private func table() throws(StartError) -> RouteTable {
    do {
      return try RouteTable(configuration.routes.map { RouteTable.Route(host: $0.match.hostPattern, path: $0.match.pathPattern) })
    } catch {
      let names = [error.first, error.second].map { configuration.routes[$0].name }
      throw .configuration("routes \(names[0]) and \(names[1]) match the same requests")
    }
  }
}

extension Route {
  fileprivate convenience init(
    _ route: Configuration.Route, index: Int, pool: WorkerPoolState, gate: TokenGate?, closeTimeout: Duration
  ) throws(StartError) {
    self.init(
      index: index, name: route.name, pool: pool, origins: route.originRule, gate: gate,
      identityHeaders: try route.identityHeaders(),
      stripsToken: route.headers.stripToken, subprotocols: route.subprotocols,
      relayLimits: RelayLimits(
        maxMessageBytes: route.maxMessage, checksUTF8: route.checkUTF8, pingInterval: route.ping.interval,
        pingTimeout: route.ping.timeout, idleTimeout: route.idleTimeout, closeTimeout: closeTimeout,
        closeCodes: RelayCloseCodes(route.closeCodes)),
      maxSendQueueBytes: route.maxSendQueue, closeCodes: route.closeCodes)
  }
}

extension RelayCloseCodes {
  fileprivate init(_ codes: Configuration.CloseCodes) {
    self.init(
      idle: CloseCode(rawValue: codes.idle), timeout: CloseCode(rawValue: codes.timeout),
      workerLost: CloseCode(rawValue: codes.workerLost))
  }
}

extension TokenGate {
  fileprivate convenience init(_ name: String, _ auth: Configuration.Auth) throws(StartError) {
    let keys = try VerifierKeys(auth, name: name)
    let requirements = TokenRequirements(
      issuer: auth.issuer, audiences: auth.audience, algorithms: auth.signatureAlgorithms, userClaim: auth.userClaim,
      requiredClaims: auth.requiredClaims, leeway: auth.leeway)
    self.init(
      name: name, sources: auth.tokenSources, verifier: TokenVerifier(requirements: requirements, keys: keys.described),
      keys: VerificationKeys(keys.keys))
  }
}

/// The keys of one `auth`, out of the file that it names.
private struct VerifierKeys {
  private(set) var keys: [VerificationKey] = []
  private(set) var described: [TokenKey] = []

  init(_ auth: Configuration.Auth, name: String) throws(StartError) {
    let allowed = auth.signatureAlgorithms
    do {
      switch auth.keys {
      case .file(let path):
        let bytes = try FileSystem.readFile(path, maxBytes: maxKeyFileBytes)
        if bytes.starts(with: "-----BEGIN".utf8) {
          try add(VerificationKey(pem: bytes), allowed: allowed)
        } else {
          for key in try KeySet(parsing: bytes, algorithms: allowed).keys {
            keys.append(try VerificationKey(key))
            described.append(key.tokenKey)
          }
        }
      case .secretFile(let path):
        try add(VerificationKey(secret: try FileSystem.readFile(path, maxBytes: maxKeyFileBytes)), allowed: allowed)
      case .url(let url, refresh: _, staleFor: _):
        throw StartError.configuration("auth \(name): keys from a URL (\(url)) are not supported yet")
      }
    } catch let error as StartError {
      throw error
    } catch {
      throw .configuration("auth \(name): \(auth.keyFile): \(error)")
    }
    guard !keys.isEmpty else {
      throw .configuration("auth \(name): \(auth.keyFile) holds no usable key for \(allowed.map(\.rawValue))")
    }
  }

  private mutating func add(_ key: VerificationKey, allowed: [SignatureAlgorithm]) throws(StartError) {
    let fitting = key.algorithms.filter(allowed.contains)
    guard let only = fitting.first, fitting.count == 1 else {
      throw .configuration("the key fits \(fitting.count) of the allowed algorithms; expected `algorithms` to leave exactly one")
    }
    keys.append(key)
    described.append(TokenKey(id: nil, algorithm: only))
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
