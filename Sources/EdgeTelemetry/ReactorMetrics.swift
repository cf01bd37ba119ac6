public import EdgeCore
public import EdgePolicy

/// What one reactor counts. Its thread alone writes, without locks or atomic additions; any thread may read at a scrape.
///
/// Indices of routes and listeners are those of the layout. An index outside it is a mistake of ours and traps.
public final class ReactorMetrics: Sendable {
  /// The names behind the indices.
  public let layout: MetricLayout

  let totals: ReactorTotals
  let listeners: [ListenerMetrics]
  let routes: [RouteMetrics]
  /// Requests and handshakes that no route matched.
  let unrouted: RouteMetrics

  /// Makes counters at zero.
  public init(layout: MetricLayout) {
    self.layout = layout
    totals = ReactorTotals()
    listeners = layout.listeners.map { _ in ListenerMetrics() }
    routes = layout.routes.map { _ in RouteMetrics() }
    unrouted = RouteMetrics()
  }

  /// Makes counters for a new configuration that go on from those of `previous`, name by name.
  ///
  /// Both objects share the counters of names they have in common, so one thread must write both.
  public init(layout: MetricLayout, continuing previous: ReactorMetrics) {
    precondition(layout.protocolErrors == previous.layout.protocolErrors)
    self.layout = layout
    totals = previous.totals
    unrouted = previous.unrouted
    listeners = layout.listeners.map { name in
      previous.layout.listeners.firstIndex(of: name).map { previous.listeners[$0] } ?? ListenerMetrics()
    }
    routes = layout.routes.map { name in
      previous.layout.routes.firstIndex(of: name).map { previous.routes[$0] } ?? RouteMetrics()
    }
  }
}

// MARK: Messages

extension ReactorMetrics {
  /// Counts one whole message that was carried, of `bytes` payload bytes.
  ///
  /// - Returns: whether its way through the edge is to be timed. About one in 64 is: to read the clock for each would cost as much as
  ///   some of the work on it.
  @discardableResult
  public func messageForwarded(route: Int, direction: MessageDirection, type: MessageType, bytes: Int) -> Bool {
    let size = UInt64(truncatingIfNeeded: bytes)
    totals.messageSize.record(size)
    routes[route].messageForwarded(direction, type, bytes: size)
    return totals.timedMessages.choosesNext()
  }

  /// Records how long messages were in the edge, of those that are timed.
  public func messageTransited(_ direction: MessageDirection, after duration: Duration) {
    totals.messageTransit[direction.rawValue].record(duration)
  }

  /// Counts a breach of the protocol; `error` is an index into the layout's words, one outside them counts as `other`.
  public func protocolError(route: Int, side: ProtocolSide, error: Int) {
    let known = layout.protocolErrors.indices.contains(error) ? error : layout.protocolErrors.count
    routes[route].protocolErrors[RouteMetrics.protocolErrorIndex(side, error: known)].add()
  }

  /// Counts a client that was closed because it made no progress.
  public func slowConsumerClosed(route: Int) {
    routes[route].slowConsumers.add()
  }

  /// Counts a message that a limit threw away.
  public func messageDropped(route: Int, _ excess: LimitExcess) {
    routes[route].messagesDropped[excess.kind.rawValue].add()
    throttled(excess)
  }

  /// Counts that a limit was met.
  public func throttled(_ excess: LimitExcess) {
    totals.throttleEvents[ReactorTotals.throttleIndex(excess.scope, excess.action)].add()
  }

  /// Follows how many clients a limit makes wait.
  public func throttledConnectionsChanged(by count: Int) {
    totals.throttledConnections.add(Int64(count))
  }

  /// Follows how many bytes wait for slow peers: positive when bytes are queued, negative when they leave or are dropped.
  public func sendQueueChanged(by bytes: Int) {
    totals.sendQueueBytes.add(Int64(bytes))
  }
}

// MARK: Connections and handshakes

extension ReactorMetrics {
  /// Counts a WebSocket that opened; its end must be told by `connectionClosed` with the same listener and protocol.
  public func connectionOpened(listener: Int, protocol clientProtocol: ClientProtocol) {
    listeners[listener].connections[clientProtocol.rawValue].add(1)
    totals.connectionsOpened.add()
  }

  /// Counts a WebSocket that ended.
  ///
  /// - Parameters:
  ///   - code: the close code the client saw; 1006 where it saw none.
  ///   - lifetime: from the accepted handshake to the end.
  public func connectionClosed(
    listener: Int, protocol clientProtocol: ClientProtocol, route: Int, initiator: Initiator, code: UInt16, lifetime: Duration
  ) {
    listeners[listener].connections[clientProtocol.rawValue].add(-1)
    let index = RouteMetrics.closedIndex(initiator, codeIndex: CloseCodeLabel.index(of: code))
    routes[route].connectionsClosed[index].add()
    totals.connectionDuration.record(lifetime)
  }

  /// Counts an opening handshake that ended, well or not; `route` is nil where none matched.
  public func handshakeFinished(route: Int?, result: HandshakeResult, duration: Duration) {
    let cells = route.map { routes[$0] } ?? unrouted
    cells.handshakes[result.rawValue].add()
    cells.handshakeDuration.record(duration)
  }

  /// Follows how many clients wait for their turn to come in.
  public func waitingClientsChanged(by count: Int) {
    totals.waitingClients.add(Int64(count))
  }

  /// Counts a client that was reset before it could ask for anything.
  public func connectionTurnedAway(_ result: HandshakeResult) {
    unrouted.handshakes[result.rawValue].add()
  }

  /// Counts a TLS handshake that ended, well or not.
  public func tlsHandshakeFinished(result: TLSHandshakeResult, version: TLSVersionLabel, resumed: Bool, duration: Duration) {
    totals.tlsHandshakes[ReactorTotals.tlsIndex(result, version, resumed: resumed)].add()
    totals.tlsHandshakeDuration.record(duration)
  }

  /// Counts a connection of HTTP/2 that ended because its client flooded it.
  public func http2Flooded(_ kind: FloodBudget.Kind) {
    totals.http2Floods[kind.rawValue].add()
  }

  /// Counts a token that was looked up in the cache.
  public func tokenLookedUp(_ result: TokenCacheResult) {
    totals.tokenCache[result.rawValue].add()
  }

  /// Counts a plain HTTP request that was answered; `route` is nil where none matched.
  public func httpRequestAnswered(route: Int?, status: Int) {
    let cells = route.map { routes[$0] } ?? unrouted
    cells.httpRequests[StatusLabel.index(of: status)].add()
  }

  /// Counts a request with forwarding fields, or a PROXY header, that nobody believes.
  public func forwardingSpoofed() {
    totals.spoofedForwarded.add()
  }

  /// Counts a worker's socket that connected, after `duration`.
  public func workerConnected(after duration: Duration) {
    totals.workerConnectDuration.record(duration)
  }

  /// Records how many nanoseconds the reactor was busy between two waits, which is how late an event may have been served.
  public func eventLoopLagged(nanoseconds: UInt64) {
    totals.eventLoopLag.record(nanoseconds)
  }
}
