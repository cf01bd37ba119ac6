import EdgeCore
import EdgeHTTP

/// What a client's connection is doing.
enum ClientPhase {
  case handshaking(deadline: Instant)
  /// The first bytes are awaited, which tell the HTTP version.
  case awaitingFirstBytes(deadline: Instant)
  /// The first request is awaited, or another one has begun.
  case readingHead(deadline: Instant)
  /// A response is out, and another request may follow.
  case betweenRequests(deadline: Instant)
  case talking(Conversation)
  /// Everything is said; the client's end is awaited.
  case lingering(deadline: Instant)
  case closed

  /// When something is due in it, at the latest.
  var nextDeadline: Instant {
    switch self {
    case .handshaking(let deadline), .awaitingFirstBytes(let deadline), .readingHead(let deadline),
      .betweenRequests(let deadline), .lingering(let deadline):
      deadline
    case .talking(let conversation): conversation.nextDeadline
    case .closed: .distantFuture
    }
  }
}

/// Whom a client speaks with: what its bytes mean, and what is due, is up to them.
enum Conversation {
  /// With a worker, about one request.
  case exchange(Exchange)
  /// With the edge itself, on a WebSocket that no worker has yet.
  case reception(Reception)
  /// With a worker, on a WebSocket.
  case tunnel(Tunnel)
  /// With all of these, on streams of HTTP/2.
  case session(ClientSession)

  /// - Returns: where the bytes begin that are to be offered again.
  @inline(__always)
  func receivedFromClient(_ bytes: Span<UInt8>, from offset: Int) -> Int {
    switch self {
    case .exchange(let exchange): exchange.receivedFromClient(bytes, from: offset)
    case .reception(let reception): reception.receivedFromClient(bytes, from: offset)
    case .tunnel(let tunnel): tunnel.receivedFromClient(bytes, from: offset)
    case .session(let session): session.receivedFromClient(bytes, from: offset)
    }
  }

  var nextDeadline: Instant {
    switch self {
    case .exchange(let exchange): exchange.nextDeadline
    case .reception(let reception): reception.nextDeadline
    case .tunnel(let tunnel): tunnel.nextDeadline
    case .session(let session): session.nextDeadline
    }
  }

  func timePassed() {
    switch self {
    case .exchange(let exchange): exchange.timePassed()
    case .reception(let reception): reception.timePassed()
    case .tunnel(let tunnel): tunnel.timePassed()
    case .session(let session): session.timePassed()
    }
  }

  /// The client has taken all that waited for it.
  func clientDrained() {
    switch self {
    case .exchange(let exchange): exchange.clientDrained()
    case .reception: break
    case .tunnel(let tunnel): tunnel.clientDrained()
    case .session(let session): session.clientDrained()
    }
  }

  /// The edge drains: a WebSocket is closed at `time`, one that is not open yet at once, and a request may finish.
  func drain(at time: Instant) {
    switch self {
    case .exchange: break
    case .reception(let reception): reception.drain()
    case .tunnel(let tunnel): tunnel.depart(Departure(.edge, at: time))
    case .session(let session): session.drain()
    }
  }

  /// Whether the end of the client's side, while nobody reads from it, means that it is gone.
  func endsWhilePaused() -> Bool {
    switch self {
    case .exchange(let exchange): return exchange.endsWithClientInput
    case .reception, .session: return false
    case .tunnel(let tunnel):
      if tunnel.isThrottled { tunnel.clientEndsWhileWaiting() }
      return false
    }
  }
}

/// A head of which some bytes have come. An object, so that a connection without one does not hold its room.
final class HeadInProgress {
  var parser: RequestHeadParser
  var hasPartialHead: Bool { parser.hasPartialHead }

  init(limits: HeadLimits) {
    parser = RequestHeadParser(limits: limits)
  }
}
