public import EdgeCore
public import EdgePolicy
public import EdgeWebSocket

/// What to do with the next bytes of one side. Each range begins at the offset that was asked about.
public enum RelayStep: Equatable, Sendable {
  /// Forward the bytes before `end` as they are; `message` tells what they completed.
  case pass(end: Int, message: PassedMessage?)
  /// Do not forward the bytes before `end`.
  case skip(end: Int)
  /// The rest is part of a header, a control frame or a token message: keep it, and offer it again in front of what comes next.
  case keep
  /// Read nothing more from the client until `RelayTimerAction.resumeClient`; then offer the rest again. A limit is told once.
  case wait(LimitExcess?)
  /// A message is thrown away: its first frame, or what of it is there, ends at `end`.
  case drop(end: Int, LimitExcess)
  /// A client's message for the edge itself ends at `end`.
  case token(TokenMessage, end: Int)
  /// A client is beyond a limit that closes it; Close frames are due.
  case refused(LimitExcess)
  /// The sender broke the protocol; nothing more of it is read, and Close frames are due.
  case failed(FrameError)
}

/// A whole message that has passed.
public struct PassedMessage: Equatable, Sendable {
  /// Whether it was text; else it was binary.
  public let isText: Bool
  /// Its payload over all fragments, in bytes.
  public let payloadBytes: Int
}

extension PassedMessage {
  init(_ message: WholeMessage) {
    self.init(isText: message.kind == .text, payloadBytes: message.payloadBytes)
  }
}

/// A Close frame that is due to one side.
public struct PendingClose: Equatable, Sendable {
  /// The close code; 1005 stands for a Close without one.
  public let code: CloseCode
  /// Machine text of at most 123 bytes.
  public let reason: String

  /// Makes a Close.
  public init(code: CloseCode, reason: String) {
    self.code = code
    self.reason = reason
  }
}

/// How a connection's end began: what the log and the metrics say of it.
public struct RelayEnding: Equatable, Sendable {
  /// Who began it.
  public let initiator: Initiator
  /// The close code that the client sent or was sent; 1006 where there was none.
  public let code: CloseCode
  /// The reason beside it.
  public let reason: String

  /// Makes an ending.
  public init(initiator: Initiator, code: CloseCode, reason: String) {
    self.initiator = initiator
    self.code = code
    self.reason = reason
  }
}

/// What a relay's timer asks for.
public enum RelayTimerAction: Equatable, Sendable {
  /// Nothing but to look at the Close frames that may have become due.
  case nothing
  /// Send the client a ping with these 8 bytes, in network order.
  case pingClient(UInt64)
  /// What waited for its turn may pass: read from the client again.
  case resumeClient
}
