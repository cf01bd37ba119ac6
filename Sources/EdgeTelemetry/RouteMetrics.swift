internal import EdgeCore
internal import EdgePolicy

/// One route's counters on one reactor.
///
/// Every array is indexed by a label's raw value, several labels by row and column.
final class RouteMetrics: Sendable {
  let messages = InlineArray<4, Counter> { _ in Counter() }
  let messageBytes = InlineArray<2, Counter> { _ in Counter() }
  let handshakes = InlineArray<15, Counter> { _ in Counter() }
  let handshakeDuration = Histogram(.latency)
  let connectionsClosed = InlineArray<88, Counter> { _ in Counter() }
  let httpRequests = InlineArray<48, Counter> { _ in Counter() }
  let protocolErrors = InlineArray<64, Counter> { _ in Counter() }
  let slowConsumers = Counter()
  let messagesDropped = InlineArray<3, Counter> { _ in Counter() }

  /// Inlined, since the call would retain the object for its length: an atomic addition per message.
  @inline(__always)
  func messageForwarded(_ direction: MessageDirection, _ type: MessageType, bytes: UInt64) {
    messages[Self.messageIndex(direction, type)].add()
    messageBytes[direction.rawValue].add(bytes)
  }

  static func messageIndex(_ direction: MessageDirection, _ type: MessageType) -> Int {
    direction.rawValue * 2 + type.rawValue
  }

  static func closedIndex(_ initiator: Initiator, codeIndex: Int) -> Int {
    let row =
      switch initiator {
      case .client: 0
      case .worker: 1
      case .edge: 2
      case .network: 3
      }
    return row * CloseCodeLabel.words.count + codeIndex
  }

  static func protocolErrorIndex(_ side: ProtocolSide, error: Int) -> Int {
    side.rawValue * (MetricLayout.maxProtocolErrors + 1) + error
  }
}

/// One listener's gauges on one reactor.
final class ListenerMetrics: Sendable {
  let connections = InlineArray<2, Gauge> { _ in Gauge() }
}

/// What one reactor counts without regard to route or listener.
final class ReactorTotals: Sendable {
  let waitingClients = Gauge()
  let connectionsOpened = Counter()
  let connectionDuration = Histogram(.lifetime)
  let tlsHandshakes = InlineArray<24, Counter> { _ in Counter() }
  let tlsHandshakeDuration = Histogram(.latency)
  let tokenCache = InlineArray<3, Counter> { _ in Counter() }
  let messageSize = Histogram(.bytes)
  let timedMessages = Sampling()
  let messageTransit = InlineArray<2, Histogram> { _ in Histogram(.transit) }
  let spoofedForwarded = Counter()
  let sendQueueBytes = Gauge()
  let eventLoopLag = Histogram(.latency)
  let workerConnectDuration = Histogram(.latency)
  let throttledConnections = Gauge()
  let http2Floods = InlineArray<10, Counter> { _ in Counter() }
  let throttleEvents = InlineArray<18, Counter> { _ in Counter() }

  static func tlsIndex(_ result: TLSHandshakeResult, _ version: TLSVersionLabel, resumed: Bool) -> Int {
    (result.rawValue * TLSVersionLabel.allCases.count + version.rawValue) * 2 + (resumed ? 1 : 0)
  }

  static func throttleIndex(_ scope: LimitScope, _ action: LimitAction) -> Int {
    scope.rawValue * LimitAction.allCases.count + action.rawValue
  }
}
