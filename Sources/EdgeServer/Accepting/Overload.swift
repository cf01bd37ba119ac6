import EdgeCore
import EdgeTelemetry

/// Why a client does not come in that a limit, or a ban, keeps out from the first packet on, and when it may try again.
enum Overload: Error {
  /// A rule banned the address when the client came. One that still does is told at the gate, with its end.
  case banned
  /// The address has its share of connections.
  case addressIsFull
  /// The address tries too often.
  case addressIsTooFast(retryAfter: Duration)
  /// The user has their share of connections.
  case userIsFull
  /// The whole edge has all the connections it may have.
  case edgeIsFull
  /// So many came at once that this one's turn would come too late.
  case edgeIsTooBusy(retryAfter: Duration)

  /// The word of metrics and logs.
  var result: HandshakeResult {
    switch self {
    case .banned: .banned
    case .addressIsFull, .addressIsTooFast: .ipLimit
    case .userIsFull: .userLimit
    case .edgeIsFull, .edgeIsTooBusy: .edgeLimit
    }
  }

  /// Too many requests of this client, or too many of all.
  var status: Int {
    switch self {
    case .banned: 403
    case .addressIsFull, .addressIsTooFast, .userIsFull: 429
    case .edgeIsFull, .edgeIsTooBusy: 503
    }
  }

  /// Which of the limits behind one word it was, for the log.
  var detail: String {
    switch self {
    case .banned: "banned"
    case .addressIsFull, .userIsFull, .edgeIsFull: "connections"
    case .addressIsTooFast: "handshakes"
    case .edgeIsTooBusy: "queue_timeout"
    }
  }

  var sentence: String {
    switch self {
    case .banned: "You may not connect here."
    case .addressIsFull: "Too many connections from this address. Close some, or wait."
    case .addressIsTooFast: "Too many attempts from this address. Wait before the next."
    case .userIsFull: "This user has too many connections. Close some."
    case .edgeIsFull: "The server is full. Try again later."
    case .edgeIsTooBusy: "Too many clients come at once. Try again later."
    }
  }

  /// When to try again, in whole seconds. What all clients meet together is spread at random, so that they do not come back
  /// together.
  func retryAfterSeconds() -> Int {
    switch self {
    case .banned: 1
    case .addressIsFull, .userIsFull: 5
    case .addressIsTooFast(let time): time.wholeSeconds
    case .edgeIsFull: 5 + Int.random(in: 0...5)
    case .edgeIsTooBusy(let time): time.wholeSeconds + Int.random(in: 0...10)
    }
  }
}

extension Duration {
  /// Rounded up, and at least one.
  fileprivate var wholeSeconds: Int {
    max(1, Int(clamping: roundedUp(to: .seconds(1))))
  }
}
