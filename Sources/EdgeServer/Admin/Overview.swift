import EdgeAdmin
import EdgeAuth
import EdgeConfig
import EdgeCore
import EdgeIO
import EdgeRouting
import EdgeTLS
import EdgeTelemetry

/// What operators see of the edge as a whole. Counters are read without asking the reactors.
extension AdminPlane {
  func status() -> AdminStatus {
    let snapshot = shared.snapshot
    var status = AdminStatus(
      version: version.number, revision: version.revision, started: started, now: .now(), reactors: reactors.count,
      connections: shared.limits.openConnections, maxConnections: snapshot.admission.maxConnections,
      isDraining: shared.isDraining,
      routes: snapshot.routes.map(\.name), totals: totals)
    status.drain = currentDrain
    status.configuration = reloader.state
    status.nextExpiry = certificates().min { $0.notAfter < $1.notAfter }.map {
      AdminStatus.CertificateExpiry(name: $0.name, notAfter: $0.notAfter)
    }
    return status
  }

  func routes() -> [AdminRoute] {
    let totals = totals
    return shared.snapshot.configuration.routes.map { route in
      AdminRoute(
        name: route.name, host: route.match.host == .any ? nil : route.match.host.description,
        path: route.match.path.description, pool: route.pool, auth: route.auth,
        origins: route.origins.patterns.map(\.description),
        totals: totals.route(route.name))
    }
  }

  func certificates() -> [AdminCertificate] {
    shared.snapshot.listeners.flatMap { listener in
      (listener.tls?.certificates ?? []).map { certificate in
        AdminCertificate(
          listener: listener.name, name: certificate.name, subject: certificate.subject, issuer: certificate.issuer,
          names: certificate.dnsNames + certificate.addresses.map(\.description), notBefore: certificate.notBefore,
          notAfter: certificate.notAfter, keyType: certificate.keyType, serial: certificate.serialNumber)
      }
    }
  }

  func keys() -> [AdminKeys] {
    shared.snapshot.keys.sorted { $0.key < $1.key }.map { name, auth in
      let keys = auth.ring.generation
      let (source, location) = shown(auth.settings.keys)
      return AdminKeys(
        auth: name, source: source, location: location,
        keys: keys.described.map { AdminKeys.Key(id: $0.id, algorithm: $0.algorithm.rawValue) },
        fetched: auth.fetcher.map { fetched($0) } ?? keys.read)
    }
  }

  func logLevel() -> LogLevel { logs.level }

  func setLogLevel(_ level: LogLevel) {
    logs.level = level
  }

  private var totals: EdgeTotals { EdgeTotals(of: reactors.map(\.metrics)) }

  /// When the provider gave a set last; nil if it never did.
  private func fetched(_ fetcher: KeyFetcher) -> Moment? {
    let now = Moment.now()
    return fetcher.age(now: now.instant).map { now.earlier(by: $0) }
  }

  private func shown(_ keys: Configuration.KeySource) -> (AdminKeys.Source, String) {
    switch keys {
    case .file(let path): (.file, path)
    case .secretFile(let path): (.secretFile, path)
    case .url(let source): (.url, source.shownAddress)
    }
  }
}
