import EdgeCore
import EdgeWebSocket

/// Whether the client is still there, and whether anybody still talks.
///
/// The edge pings only a client that was silent for the interval; a ping of the worker's that the client has not
/// answered serves as well. Any byte of the client's is an answer. A client is given up when it was silent for interval
/// and timeout together, and for the timeout after a ping.
struct Liveness {
  /// Since when the client's silence counts.
  private var silentSince: Instant
  private var lastData: Instant
  /// When the ping went out after which the client has not been heard, whoever sent it; `distantFuture` where none has.
  private var pingedAt = Instant.distantFuture
  /// What holds now; a clock that runs goes on, towards the new end.
  var limits: Shared<RelayLimits>
  // Each connection has one of these for all its life: what takes a byte stands at the end.
  /// What the edge's last ping bore. A pong may come late, when other bytes have long answered.
  private var nonce: UInt64?
  private var holds: Holds = []

  init(_ limits: Shared<RelayLimits>, now: Instant) {
    silentSince = now
    lastData = now
    self.limits = limits
  }

  var nextDeadline: Instant {
    holds.isEmpty ? min(lastData + limits.value.idleTimeout, pongDeadline ?? pingTime) : .distantFuture
  }

  mutating func heardFromClient(now: Instant) {
    silentSince = now
    pingedAt = .distantFuture
  }

  mutating func carriedData(now: Instant) {
    lastData = now
  }

  mutating func forwardedWorkerPing(now: Instant) {
    pingedAt = min(pingedAt, now)
  }

  mutating func sentPing(nonce: UInt64, now: Instant) {
    self.nonce = nonce
    pingedAt = now
  }

  /// Whether the pong answers the edge's own ping, and so is not the worker's to see. One ping has one answer.
  mutating func takeOwn(_ pong: ControlPayload) -> Bool {
    guard let nonce, pong == ControlPayload(nonce: nonce) else { return false }
    self.nonce = nil
    return true
  }

  mutating func timePassed(now: Instant, canPing: Bool) -> LivenessAction {
    guard holds.isEmpty else { return .nothing }
    if now >= lastData + limits.value.idleTimeout { return .idle }
    if let pongDeadline { return now >= pongDeadline ? .unresponsive : .nothing }
    guard now >= pingTime else { return .nothing }
    // A frame towards the client is unfinished: look again after another interval.
    guard canPing else {
      silentSince = now
      return .nothing
    }
    return .ping
  }

  /// Silence means nothing for now.
  mutating func hold(_ reason: Holds) {
    holds.formUnion(reason)
  }

  /// `reason` is over. Once none is left, every clock begins anew.
  mutating func release(_ reason: Holds, now: Instant) {
    guard !holds.isDisjoint(with: reason) else { return }
    holds.subtract(reason)
    guard holds.isEmpty else { return }
    silentSince = now
    lastData = now
    if pingedAt != .distantFuture { pingedAt = now }
  }

  private var pingTime: Instant { silentSince + limits.value.pingInterval }

  private var pongDeadline: Instant? {
    pingedAt == .distantFuture ? nil : max(pingedAt, pingTime) + limits.value.pingTimeout
  }
}

/// Why the clocks stand still.
struct Holds: OptionSet {
  let rawValue: UInt8

  /// Nobody reads what the client says.
  static let clientUnread = Holds(rawValue: 1)
  /// Data waits for the client, a ping among it perhaps: its progress is judged, not its answers.
  static let clientBehind = Holds(rawValue: 2)
  /// A limit makes the client wait.
  static let throttled = Holds(rawValue: 4)
}

enum LivenessAction {
  case nothing
  case ping
  case idle
  case unresponsive
}
