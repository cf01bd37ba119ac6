import EdgeCore
import EdgeWebSocket

/// Whether the client is still there, and whether anybody still talks.
///
/// The edge pings only a client that was silent for the interval; a ping of the worker's that the client has not
/// answered serves as well. Any byte of the client's is an answer.
struct Liveness {
  private var state: State
  private var lastClientBytes: Instant
  private var lastMessage: Instant
  private let pingInterval: Duration
  private let pingTimeout: Duration
  private let idleTimeout: Duration

  init(_ limits: RelayLimits, now: Instant) {
    state = .listening
    lastClientBytes = now
    lastMessage = now
    pingInterval = limits.pingInterval
    pingTimeout = limits.pingTimeout
    idleTimeout = limits.idleTimeout
  }

  var nextDeadline: Instant {
    let idle = lastMessage + idleTimeout
    return switch state {
    case .listening: min(idle, lastClientBytes + pingInterval)
    case .pinged(_, let since), .workerPinged(let since): min(idle, since + pingTimeout)
    case .paused: .distantFuture
    }
  }

  mutating func heardFromClient(now: Instant) {
    lastClientBytes = now
    if case .workerPinged = state { state = .listening }
  }

  mutating func carriedMessage(now: Instant) {
    lastMessage = now
  }

  mutating func forwardedWorkerPing(now: Instant) {
    if case .listening = state { state = .workerPinged(since: now) }
  }

  mutating func sentPing(nonce: UInt64, now: Instant) -> UInt64 {
    state = .pinged(nonce: nonce, since: now)
    return nonce
  }

  /// Whether the pong answers the edge's own ping, and so is not the worker's to see.
  mutating func receivedPong(_ payload: ControlPayload) -> Bool {
    guard case .pinged(let nonce, since: _) = state, payload == ControlPayload(nonce: nonce) else { return false }
    state = .listening
    return true
  }

  mutating func timePassed(now: Instant, canPing: Bool) -> LivenessAction {
    if case .paused = state { return .nothing }
    if now >= lastMessage + idleTimeout { return .idle }
    switch state {
    case .listening:
      guard now >= lastClientBytes + pingInterval else { return .nothing }
      // A frame towards the client is unfinished: look again after another interval.
      guard canPing else {
        lastClientBytes = now
        return .nothing
      }
      return .ping
    case .pinged(_, let since), .workerPinged(let since):
      guard now >= since + pingTimeout else { return .nothing }
      guard lastClientBytes <= since else {
        state = .listening
        return .nothing
      }
      return .unresponsive
    case .paused:
      return .nothing
    }
  }

  mutating func pause() {
    state = .paused
  }

  mutating func resume(now: Instant) {
    guard case .paused = state else { return }
    state = .listening
    lastClientBytes = now
    lastMessage = max(lastMessage, now)
  }
}

private enum State {
  case listening
  /// The edge pinged, and waits for the pong with `nonce`.
  case pinged(nonce: UInt64, since: Instant)
  /// The worker pinged, and the client has not been heard since.
  case workerPinged(since: Instant)
  /// Nobody reads what the client says: its silence means nothing.
  case paused
}

enum LivenessAction {
  case nothing
  case ping
  case idle
  case unresponsive
}
