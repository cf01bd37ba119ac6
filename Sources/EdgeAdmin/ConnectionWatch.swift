internal import EdgeCore

/// The connections of one listener, and since when each has been at the same thing.
///
/// libmicrohttpd closes a connection that is silent for a while, but not one that says a byte now and then: who holds a place
/// without getting anywhere is cut off here.
final class ConnectionWatch: Sendable {
  /// What a connection is doing.
  private enum Work {
    /// It sends a request, or thinks of one.
    case receiving(since: Instant)
    /// It takes an answer.
    case answering(since: Instant)
    /// It takes an answer that has no end.
    case streaming

    var deadline: Instant {
      switch self {
      case .receiving(let start): start + maxReceiving
      case .answering(let start): start + maxAnswering
      case .streaming: .distantFuture
      }
    }
  }

  private struct Connection {
    let descriptor: Int32
    var work: Work
  }

  private let connections = Guarded<[UInt: Connection]>([:])

  /// A client has connected. `key` is its own until `closed`.
  func opened(_ key: UInt, descriptor: Int32, now: Instant) {
    connections.withLock { $0[key] = Connection(descriptor: descriptor, work: .receiving(since: now)) }
  }

  /// Its request is whole, and is being answered.
  func answering(_ key: UInt, isStream: Bool, now: Instant) {
    connections.withLock { $0[key]?.work = isStream ? .streaming : .answering(since: now) }
  }

  /// Its answer has been sent; another request may follow.
  func answered(_ key: UInt, now: Instant) {
    connections.withLock { $0[key]?.work = .receiving(since: now) }
  }

  /// Its socket is about to be closed.
  func closed(_ key: UInt) {
    connections.withLock { _ = $0.removeValue(forKey: key) }
  }

  /// Cuts off who is at the same thing for too long.
  ///
  /// - Parameter hangUp: ends a socket. Nobody closes it meanwhile, so the descriptor is still that client's.
  func endSlow(now: Instant, hangUp: (Int32) -> Void) {
    connections.withLock { connections in
      for connection in connections.values where connection.work.deadline <= now { hangUp(connection.descriptor) }
    }
  }
}

/// From one answer, or from the beginning, to the end of a whole request.
private let maxReceiving = Duration.seconds(20)
/// For the client to take an answer.
private let maxAnswering = Duration.seconds(60)
