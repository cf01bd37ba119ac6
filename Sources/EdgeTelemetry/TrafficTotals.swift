/// What all reactors have counted of one route, or of the whole edge, since the start: for the admin plane, which shows less than a
/// scrape.
public struct TrafficTotals: Equatable, Sendable {
  /// Messages from clients.
  public var messagesReceived: UInt64 = 0
  /// Messages to clients.
  public var messagesSent: UInt64 = 0
  /// Their payload bytes.
  public var bytesReceived: UInt64 = 0
  /// Their payload bytes.
  public var bytesSent: UInt64 = 0
  /// Opening handshakes by result, in the order of `HandshakeResult.allCases`.
  public var handshakes = [UInt64](repeating: 0, count: HandshakeResult.allCases.count)
  /// WebSockets that ended.
  public var closed: UInt64 = 0

  /// Nothing yet.
  public init() {}

  /// WebSockets that are open.
  public var open: Int {
    let opened = handshakes[HandshakeResult.accepted.rawValue]
    return opened > closed ? Int(clamping: opened - closed) : 0
  }

  mutating func add(_ route: RouteMetrics) {
    for type in MessageType.allCases {
      messagesReceived &+= route.messages[RouteMetrics.messageIndex(.received, type)].value
      messagesSent &+= route.messages[RouteMetrics.messageIndex(.sent, type)].value
    }
    bytesReceived &+= route.messageBytes[MessageDirection.received.rawValue].value
    bytesSent &+= route.messageBytes[MessageDirection.sent.rawValue].value
    // Ends first: a WebSocket that comes and goes meanwhile is never one less than none.
    for index in route.connectionsClosed.indices { closed &+= route.connectionsClosed[index].value }
    for index in route.handshakes.indices { handshakes[index] &+= route.handshakes[index].value }
  }
}

/// What the reactors hold and have counted, at a glance.
public struct EdgeTotals: Equatable, Sendable {
  /// Of all routes, and of what no route matched.
  public var all = TrafficTotals()
  /// Clients that a limit makes wait.
  public var throttledConnections = 0
  /// Clients that wait for their turn to come in.
  public var waitingClients = 0
  /// Bytes that wait for slow peers.
  public var sendQueueBytes = 0
  private var routes: [String: TrafficTotals] = [:]

  /// Sums up.
  public init(of reactors: [ReactorMetrics]) {
    for reactor in reactors {
      for (name, route) in zip(reactor.layout.routes, reactor.routes) {
        routes[name, default: TrafficTotals()].add(route)
        all.add(route)
      }
      all.add(reactor.unrouted)
      throttledConnections += Int(clamping: reactor.totals.throttledConnections.value)
      waitingClients += Int(clamping: reactor.totals.waitingClients.value)
      sendQueueBytes += Int(clamping: reactor.totals.sendQueueBytes.value)
    }
    (throttledConnections, waitingClients) = (max(0, throttledConnections), max(0, waitingClients))
    sendQueueBytes = max(0, sendQueueBytes)
  }

  /// What was counted of a route.
  public func route(_ name: String) -> TrafficTotals { routes[name] ?? TrafficTotals() }
}
