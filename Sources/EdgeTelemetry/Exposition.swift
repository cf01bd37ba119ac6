internal import EdgeCore
internal import EdgePolicy

/// The text that a scraper gets: the counters of all reactors added up, and what the caller collected besides.
public struct Exposition {
  private let values: ScrapeValues
  private let reactors: [ReactorMetrics]
  private var writer: ExpositionWriter

  /// Renders one scrape.
  ///
  /// - Parameters:
  ///   - values: collected at the moment of the scrape.
  ///   - reactors: every reactor's counters, the index of each being its label `loop`. Layouts may differ for the moment
  ///     of a reload.
  /// - Returns: UTF-8 text of the type that `format.contentType` names.
  public static func render(_ values: ScrapeValues, reactors: [ReactorMetrics], as format: ExpositionFormat) -> [UInt8] {
    var exposition = Exposition(values: values, reactors: reactors, writer: ExpositionWriter(format))
    exposition.writeProcess()
    exposition.writeConnections()
    exposition.writeHandshakes()
    exposition.writeLimiters()
    exposition.writeMessages()
    exposition.writeLimits()
    exposition.writeWorkers()
    exposition.writeControl()
    return exposition.writer.finish()
  }

  // MARK: The sections

  private mutating func writeProcess() {
    one(.buildInfo, labels: [values.version, values.revision, values.tlsLibrary], .count(1))
    one(.draining, .count(values.isDraining ? 1 : 0))
    one(.logRecordsDropped, .count(values.logRecordsDropped))
    writer.begin(.eventLoopLag)
    for (index, reactor) in reactors.enumerated() {
      writer.histogram(.eventLoopLag, [String(index)], reactor.totals.eventLoopLag.snapshot)
    }
    guard let process = values.process else { return }
    one(.processCPU, .real(process.cpuSeconds))
    one(.processResident, .count(process.residentBytes))
    one(.processVirtual, .count(process.virtualBytes))
    one(.processOpenDescriptors, .count(process.openDescriptors))
    one(.processMaxDescriptors, .count(process.maxDescriptors))
    one(.processStart, .real(Double(process.startTime.nanoseconds) / 1e9))
  }

  private mutating func writeConnections() {
    one(.connectedClients, .level(Int64(values.connectedClients)))
    one(.clientLimit, .level(Int64(values.clientLimit)))
    writer.begin(.connections)
    for (name, cells) in listeners {
      for clientProtocol in ClientProtocol.allCases {
        let level = cells.reduce(0) { $0 + $1.connections[clientProtocol.rawValue].value }
        writer.sample(.connections, [name, clientProtocol.word], .level(level))
      }
    }
    one(.connectionsOpened, .count(sum { $0.connectionsOpened.value }))
    writer.begin(.connectionsClosed)
    for (name, cells) in routes {
      for initiator in Initiator.allCases {
        for (index, code) in CloseCodeLabel.words.enumerated() {
          let count = cells.reduce(0) { $0 &+ $1.connectionsClosed[RouteMetrics.closedIndex(initiator, codeIndex: index)].value }
          if count > 0 { writer.sample(.connectionsClosed, [name, initiator.rawValue, code], .count(count)) }
        }
      }
    }
    histogram(.connectionDuration, .lifetime) { $0.connectionDuration.snapshot }
  }

  private mutating func writeHandshakes() {
    writer.begin(.tlsHandshakes)
    for result in TLSHandshakeResult.allCases {
      for version in TLSVersionLabel.allCases {
        for resumed in [false, true] {
          let count = sum { $0.tlsHandshakes[ReactorTotals.tlsIndex(result, version, resumed: resumed)].value }
          if count > 0 { writer.sample(.tlsHandshakes, [result.word, version.word, String(resumed)], .count(count)) }
        }
      }
    }
    histogram(.tlsHandshakeDuration, .latency) { $0.tlsHandshakeDuration.snapshot }
    writer.begin(.certificateNotAfter)
    for (name, notAfter) in certificates {
      writer.sample(.certificateNotAfter, [name], .real(Double(notAfter.seconds)))
    }
    writer.begin(.handshakes)
    for (name, cells) in routes + unrouted {
      for result in HandshakeResult.allCases {
        let count = cells.reduce(0) { $0 &+ $1.handshakes[result.rawValue].value }
        writer.sample(.handshakes, [name, result.word], .count(count))
      }
    }
    writer.begin(.handshakeDuration)
    for (name, cells) in routes + unrouted {
      writer.histogram(.handshakeDuration, [name], added(cells.map { $0.handshakeDuration.snapshot }, .latency))
    }
    writer.begin(.tokenCache)
    for result in TokenCacheResult.allCases {
      writer.sample(.tokenCache, [result.word], .count(sum { $0.tokenCache[result.rawValue].value }))
    }
    writer.begin(.http2Floods)
    for kind in FloodBudget.Kind.allCases {
      writer.sample(.http2Floods, [kind.word], .count(sum { $0.http2Floods[kind.rawValue].value }))
    }
    writer.begin(.keySetAge)
    for keySet in values.keySets.sorted(by: { $0.auth < $1.auth }) {
      writer.sample(.keySetAge, [keySet.auth], .real(keySet.age?.inSeconds ?? .infinity))
    }
    one(.spoofedForwarded, .count(sum { $0.spoofedForwarded.value }))
    writer.begin(.httpRequests)
    for (name, cells) in routes + unrouted {
      for (index, code) in StatusLabel.words.enumerated() {
        let count = cells.reduce(0) { $0 &+ $1.httpRequests[index].value }
        if count > 0 { writer.sample(.httpRequests, [name, code], .count(count)) }
      }
    }
  }

  private mutating func writeLimiters() {
    one(.waitingClients, .level(reactors.reduce(0) { $0 + $1.totals.waitingClients.value }))
    writer.begin(.limiterEntries)
    for table in values.limiters { writer.sample(.limiterEntries, [table.scope], .level(Int64(table.entries))) }
    writer.begin(.limiterEvictions)
    for table in values.limiters { writer.sample(.limiterEvictions, [table.scope], .count(table.evictions)) }
  }

  private mutating func writeMessages() {
    writer.begin(.messages)
    for (name, cells) in routes {
      for direction in MessageDirection.allCases {
        for type in MessageType.allCases {
          let count = cells.reduce(0) { $0 &+ $1.messages[RouteMetrics.messageIndex(direction, type)].value }
          writer.sample(.messages, [name, direction.word, type.word], .count(count))
        }
      }
    }
    writer.begin(.messageBytes)
    for (name, cells) in routes {
      for direction in MessageDirection.allCases {
        let bytes = cells.reduce(0) { $0 &+ $1.messageBytes[direction.rawValue].value }
        writer.sample(.messageBytes, [name, direction.word], .count(bytes))
      }
    }
    histogram(.messageSize, .bytes) { $0.messageSize.snapshot }
    writer.begin(.messageTransit)
    for direction in MessageDirection.allCases {
      let snapshots = reactors.map { $0.totals.messageTransit[direction.rawValue].snapshot }
      writer.histogram(.messageTransit, [direction.word], added(snapshots, .transit))
    }
    writer.begin(.protocolErrors)
    for (name, cells) in routes {
      for side in ProtocolSide.allCases {
        for (index, error) in ((reactors.first?.layout.protocolErrors ?? []) + ["other"]).enumerated() {
          let count = cells.reduce(0) { $0 &+ $1.protocolErrors[RouteMetrics.protocolErrorIndex(side, error: index)].value }
          if count > 0 { writer.sample(.protocolErrors, [name, side.word, error], .count(count)) }
        }
      }
    }
    writer.begin(.slowConsumers)
    for (name, cells) in routes {
      writer.sample(.slowConsumers, [name], .count(cells.reduce(0) { $0 &+ $1.slowConsumers.value }))
    }
    one(.sendQueueBytes, .level(reactors.reduce(0) { $0 + $1.totals.sendQueueBytes.value }))
  }

  private mutating func writeLimits() {
    writer.begin(.messagesDropped)
    for (name, cells) in routes {
      for kind in LimitExcess.Kind.allCases {
        let count = cells.reduce(0) { $0 &+ $1.messagesDropped[kind.rawValue].value }
        if kind != .frames { writer.sample(.messagesDropped, [name, kind.word], .count(count)) }
      }
    }
    one(.throttledConnections, .level(reactors.reduce(0) { $0 + $1.totals.throttledConnections.value }))
    writer.begin(.throttleEvents)
    for scope in LimitScope.allCases {
      for action in LimitAction.allCases {
        let count = sum { $0.throttleEvents[ReactorTotals.throttleIndex(scope, action)].value }
        writer.sample(.throttleEvents, [scope.word, action.word], .count(count))
      }
    }
  }

  private mutating func writeWorkers() {
    let workers = self.workers
    writer.begin(.poolReadyWorkers)
    for pool in values.pools { writer.sample(.poolReadyWorkers, [pool.name], .level(Int64(pool.readyWorkers))) }
    writer.begin(.workerUp)
    for worker in workers { writer.sample(.workerUp, [worker.pool, worker.worker], .count(worker.isUp ? 1 : 0)) }
    writer.begin(.workerConnections)
    for worker in workers { writer.sample(.workerConnections, [worker.pool, worker.worker], .level(Int64(worker.connections))) }
    histogram(.workerConnectDuration, .latency) { $0.workerConnectDuration.snapshot }
    writer.begin(.workerConnectFailures)
    for worker in workers {
      for (reason, count) in worker.connectFailures.sorted(by: { $0.key < $1.key }) {
        writer.sample(.workerConnectFailures, [worker.pool, worker.worker, reason], .count(count))
      }
    }
  }

  private mutating func writeControl() {
    writer.begin(.configReloads)
    for result in ReloadResult.allCases {
      writer.sample(.configReloads, [result.word], .count(values.control.reloads[result.rawValue]))
    }
    one(.configLastReloadSuccessful, .count(values.control.isLastReloadGood ? 1 : 0))
    writer.begin(.adminActions)
    for (action, counts) in values.control.actions.sorted(by: { $0.key < $1.key }) {
      for result in AdminActionResult.allCases {
        writer.sample(.adminActions, [action, result.word], .count(counts.cells[result.rawValue]))
      }
    }
  }

  // MARK: Adding up

  private mutating func one(_ family: MetricFamily, labels labelValues: [String] = [], _ value: ExpositionWriter.Value) {
    writer.begin(family)
    writer.sample(family, labelValues, value)
  }

  private mutating func histogram(
    _ family: MetricFamily, _ scale: BucketScale, _ snapshot: (ReactorTotals) -> HistogramSnapshot
  ) {
    writer.begin(family)
    writer.histogram(family, [], added(reactors.map { snapshot($0.totals) }, scale))
  }

  private func added(_ snapshots: [HistogramSnapshot], _ scale: BucketScale) -> HistogramSnapshot {
    snapshots.reduce(into: HistogramSnapshot(scale)) { $0.add($1) }
  }

  private func sum(_ value: (ReactorTotals) -> UInt64) -> UInt64 {
    reactors.reduce(0) { $0 &+ value($1.totals) }
  }

  /// The routes of all reactors by name, each with its counters on every reactor that knows it.
  private var routes: [(name: String, cells: [RouteMetrics])] {
    orderedUnion(reactors.map(\.layout.routes)).map { name in
      (name, reactors.compactMap { reactor in reactor.layout.routes.firstIndex(of: name).map { reactor.routes[$0] } })
    }
  }

  /// What no route matched: its label is empty, which no route's name is.
  private var unrouted: [(name: String, cells: [RouteMetrics])] {
    [("", reactors.map(\.unrouted))]
  }

  private var listeners: [(name: String, cells: [ListenerMetrics])] {
    orderedUnion(reactors.map(\.layout.listeners)).map { name in
      (name, reactors.compactMap { reactor in reactor.layout.listeners.firstIndex(of: name).map { reactor.listeners[$0] } })
    }
  }

  private var certificates: [(name: String, notAfter: WallTime)] {
    Dictionary(values.certificates.map { ($0.name, $0.notAfter) }, uniquingKeysWith: min)
      .sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  private var workers: [WorkerSample] {
    var merged: [[String]: WorkerSample] = [:]
    for sample in values.workers {
      merged[
        [sample.pool, sample.worker], default: WorkerSample(pool: sample.pool, worker: sample.worker, isUp: false, connections: 0)
      ]
      .add(sample)
    }
    return merged.values.sorted { ($0.pool, $0.worker) < ($1.pool, $1.worker) }
  }
}

extension WorkerSample {
  fileprivate mutating func add(_ other: WorkerSample) {
    isUp = isUp || other.isUp
    connections += other.connections
    connectFailures.merge(other.connectFailures, uniquingKeysWith: &+)
  }
}

private func orderedUnion(_ lists: [[String]]) -> [String] {
  var seen: Set<String> = []
  return lists.joined().filter { seen.insert($0).inserted }
}
