import EdgeConfig
import EdgeCore
import EdgeIO
import EdgeRelay
import EdgeWebSocket

/// A WebSocket that the edge has accepted itself, and that no worker has yet: its token is awaited in the first message, or it is
/// told why it may not come in. A page script can read a close code, and no status.
final class Reception {
  private let client: Client
  private let context: ReactorContext
  private var reader = ReceptionReader()
  private var state: State

  /// Awaits the token for a request whose 101 is out.
  init(awaitingTokenOf exchange: Exchange, client: Client, context: ReactorContext) {
    self.client = client
    self.context = context
    state = .awaitingToken(exchange, deadline: context.reactor.now + context.snapshot.timeouts.head)
  }

  /// Tells a client whose 101 is out that it may not come in.
  init(dismissing close: PendingClose, client: Client, context: ReactorContext) {
    self.client = client
    self.context = context
    state = .ended
    dismiss(close)
  }

  /// Sends the Close that the client is owed, and awaits its answer: what it says before that is read over.
  func dismiss(_ close: PendingClose) {
    state = .closing(deadline: context.reactor.now + context.snapshot.timeouts.close)
    reader.beganClosing()
    send { FrameWriter.appendClose(close.code, reason: close.reason, into: &$0) }
  }

  /// Uses what the client sent, from `offset` on.
  ///
  /// - Returns: where the bytes begin that are to be offered again, or are the worker's.
  func receivedFromClient(_ bytes: Span<UInt8>, from offset: Int) -> Int {
    var offset = offset
    while offset < bytes.count {
      switch reader.next(bytes, at: offset, now: context.reactor.now) {
      case .skip(let end):
        offset = end
      case .keep:
        return offset
      case .ping(let body, let end):
        send { FrameWriter.appendPong(ControlPayload(body, in: bytes), into: &$0) }
        offset = end
      case .token(let message, let end):
        take(message.text(in: bytes))
        return end
      case .otherMessage:
        refuse { .otherFirstMessage($0) }
        guard case .closing = state else { return bytes.count }
      case .close(let code, end: _):
        answerClose(code)
        return bytes.count
      case .failed(let code, let reason):
        fail(PendingClose(code: code, reason: reason))
        return bytes.count
      }
    }
    return offset
  }

  /// When `timePassed` wants to be called, at the latest.
  var nextDeadline: Instant {
    switch state {
    case .awaitingToken(_, let deadline), .closing(let deadline): deadline
    case .ended: .distantFuture
    }
  }

  /// Does what is due.
  func timePassed() {
    guard context.reactor.now >= nextDeadline else { return }
    switch state {
    case .awaitingToken: refuse { .firstMessageTimeout($0) }
    case .closing: end()
    case .ended: break
    }
  }

  /// The client's connection is gone.
  func clientLost() {
    if case .awaitingToken(let exchange, deadline: _) = state { exchange.clientLost() }
    state = .ended
  }

  /// The edge drains: who has not come in yet is sent away.
  func drain() {
    refuse { .draining($0) }
  }

  /// Whose token is awaited, if one is.
  var pending: PendingAdmission? {
    if case .awaitingToken(let exchange, deadline: _) = state { exchange.pending } else { nil }
  }

  /// Sends a client away whose token is awaited.
  func refuse(_ refusal: (PendingAdmission) -> Refusal) {
    guard case .awaitingToken(let exchange, deadline: _) = state, let pending = exchange.pending else { return }
    state = .ended
    exchange.refuse(refusal(pending))
  }

  private func take(_ message: [UInt8]) {
    guard case .awaitingToken(let exchange, deadline: _) = state else { return }
    state = .ended
    exchange.received(token: message)
  }

  private func answerClose(_ code: CloseCode) {
    if case .awaitingToken(let exchange, deadline: _) = state {
      exchange.clientLost()
      send { FrameWriter.appendClose(code, into: &$0) }
    }
    end()
  }

  private func fail(_ close: PendingClose) {
    if case .awaitingToken(let exchange, deadline: _) = state {
      exchange.clientLost()
      send { FrameWriter.appendClose(close.code, reason: close.reason, into: &$0) }
    }
    end()
  }

  private func end() {
    state = .ended
    client.finishReception()
  }

  private func send(_ append: (inout [UInt8]) -> Void) {
    var frame: [UInt8] = []
    append(&frame)
    client.send(frame.span)
  }
}

/// What a reception waits for.
private enum State {
  case awaitingToken(Exchange, deadline: Instant)
  /// The client's answer to a Close.
  case closing(deadline: Instant)
  case ended
}
