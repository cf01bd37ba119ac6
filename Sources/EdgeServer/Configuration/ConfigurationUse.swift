import EdgeConfig
import EdgeCore
import EdgeIO
import EdgePolicy
import EdgeRouting
import EdgeTLS
import EdgeTelemetry

/// What the parts of the edge are made from, out of the configuration.
extension Configuration {
  /// Reactor threads.
  var threadCount: Int {
    switch threads {
    case .auto: Machine.availableCores
    case .count(let count): count
    }
  }

  /// The limits on who may come in. A ramp of the same rate goes on where it stands.
  ///
  /// - Throws: `StartError.configuration` where the ramp has no rate, which no configuration that was read says.
  func admissionLimits(replacing previous: Snapshot?, log: EdgeLog?) throws(StartError) -> AdmissionLimits {
    let isTold = previous?.configuration.limits.maxConnections == limits.maxConnections
    let maxConnections = clampedMaxConnections(isTold ? nil : log)
    if let previous, previous.configuration.limits.handshakes == limits.handshakes, previous.configuration.threads == threads {
      return AdmissionLimits(limits, maxConnections: maxConnections, ramp: previous.admission.ramp)
    }
    let rate =
      switch limits.handshakes.rate {
      case .auto: (count: autoHandshakes * threadCount, per: Duration.seconds(1))
      case .rate(let rate): (count: rate.count, per: rate.per)
      }
    guard let ramp = AdmissionRamp(count: rate.count, per: rate.per, queueTimeout: limits.handshakes.queueTimeout) else {
      throw .configuration("limits.handshakes.rate says nothing")
    }
    return AdmissionLimits(limits, maxConnections: maxConnections, ramp: ramp)
  }

  /// `max_connections`, or what the process's descriptors carry if that is less: two for each client, and some for the edge
  /// itself. Raises the soft limit first.
  private func clampedMaxConnections(_ log: EdgeLog?) -> Int {
    let limit = Int(clamping: DescriptorLimit.raise().soft)
    let carried = max(1, (limit - ownDescriptors) / 2)
    guard carried < limits.maxConnections else { return limits.maxConnections }
    log?.write(
      .warning, "limits.clamped", "max_connections is more than the open file limit carries; it is lowered. Raise LimitNOFILE."
    ) {
      line in
      line.add(.configured, limits.maxConnections)
      line.add(.effective, carried)
    }
    return carried
  }
}

extension AddressLimits {
  init(_ limits: Configuration.Limits) {
    let perIP = limits.perIP
    self.init(
      connections: perIP.connections, handshakes: GCRA(perIP.handshakes), ipv6PrefixBits: perIP.ipv6Prefix,
      ipv6WidePrefixBits: perIP.ipv6Cap.prefix, wideFactor: perIP.ipv6Cap.factor, exempt: limits.exempt)
  }
}

extension UserLimits {
  init(_ perUser: Configuration.PerUser) {
    let whenFull: WhenFull =
      switch perUser.whenFull {
      case .reject: .reject
      case .replaceOldest: .replaceOldest
      }
    self.init(connections: perUser.connections, whenFull: whenFull)
  }
}

extension WorkerPoolState {
  convenience init(_ pool: Configuration.Pool) {
    self.init(name: pool.name, patterns: pool.workers, settings: WorkerPool.Settings(pool))
  }

  /// Goes by what another configuration says of the pool.
  func adopt(_ pool: Configuration.Pool) {
    adopt(patterns: pool.workers, settings: WorkerPool.Settings(pool), isChecked: pool.health != nil)
  }
}

extension WorkerPool.Settings {
  fileprivate init(_ pool: Configuration.Pool) {
    self.init()
    switch pool.balance {
    case .any(let rule): balance = rule
    case .cookie, .hash: break  // Refused as not yet supported.
    }
    if let health = pool.health {
      fall = health.fall
      rise = health.rise
    }
  }
}

extension ClientProtocol {
  fileprivate init(_ name: Configuration.ApplicationProtocol) {
    switch name {
    case .http1: self = .http1
    case .http2: self = .http2
    }
  }
}

extension ListenerContext {
  /// The listeners of a configuration, their certificates loaded.
  ///
  /// - Parameter indices: their places in the metrics.
  /// - Throws: `StartError.configuration` when a certificate cannot be used.
  static func all(
    of configuration: Configuration, indices: [Int], tickets: TicketKeyRing
  ) throws(StartError) -> [ListenerContext] {
    var all: [ListenerContext] = []
    for (listener, index) in zip(configuration.listeners, indices) {
      do {
        let tls = try listener.tls.map { tls in
          try TLSServerContext(
            certificates: tls.certificates.map { .files(chain: $0.chain, key: $0.key) },
            applicationProtocols: listener.protocols.map(\.rawValue), minVersion: tls.minimumVersion == .tls13 ? .tls13 : .tls12,
            clients: clientVerification(tls, of: listener), ticketKeys: tickets, now: WallClock.now())
        }
        let isShared: Bool
        switch listener.address {
        case .unix, .systemd: isShared = true
        case .tcp: isShared = false
        }
        all.append(
          ListenerContext(
            index: index, name: listener.name, tls: tls, protocols: listener.protocols.map(ClientProtocol.init),
            isShared: isShared,
            proxyProtocol: listener.proxyProtocol))
      } catch {
        throw .configuration("listener \(listener.name): \(error)")
      }
    }
    return all
  }
}

/// Which certificates clients show; nil where none are asked for.
private func clientVerification(
  _ tls: Configuration.TLS, of listener: Configuration.Listener
) throws(CertificateError) -> ClientVerification? {
  guard let authorities = tls.clientCA else { return nil }
  switch tls.clientCertificates {
  case .none: return nil
  case .optional: return try ClientVerification(.optional, authorities: authorities, listener: listener.name)
  case .required: return try ClientVerification(.required, authorities: authorities, listener: listener.name)
  }
}

/// A reactor's share of `limits.handshakes.rate: auto`, in handshakes a second.
private let autoHandshakes = 400

/// Descriptors that are not clients': listeners, epolls, logs, the admin plane, and the reserve.
private let ownDescriptors = 160
