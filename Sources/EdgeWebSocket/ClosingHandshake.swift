/// How a relayed connection comes to its end (RFC 6455 §7.1): who has sent Close, and whose answer is awaited.
///
/// A Close of either side goes to the other unchanged. A decision of the edge sends each side a Close with its own code
/// and keeps the answers. The caller keeps the deadline: it runs from the moment that `phase` is `closing`.
public struct ClosingHandshake: ~Copyable, Sendable {
  fileprivate enum State: ~Copyable {
    /// No Close has passed.
    case open
    /// The Close of one side went to the other, whose answer is awaited.
    case relayed(CloseCode?, from: FrameSender)
    /// The edge has sent its own Close; the answer of these is awaited, and goes nowhere.
    case answering(Awaited)
    /// Nothing more is to come.
    case done
  }

  fileprivate enum Awaited {
    case both
    case one(FrameSender)
  }

  private var state = State.open

  /// Begins with no Close passed.
  public init() {}

  /// How far it has come.
  public var phase: ClosingPhase {
    switch state {
    case .open: .open
    case .relayed: .closing
    case .answering: .closing
    case .done: .done
    }
  }

  /// One side sent a well-formed Close.
  public mutating func receivedClose(_ code: CloseCode?, from side: FrameSender) -> ReceivedCloseAction {
    state.receivedClose(code, from: side)
  }

  /// The edge decides that the connection ends.
  public mutating func decidedToClose() -> DecidedToCloseAction {
    state.decidedToClose()
  }

  /// One side's connection has ended, or can no longer be used, before the handshake was done.
  public mutating func lost(_ side: FrameSender) -> LostSideAction {
    state.lost(side)
  }

  /// The deadline has passed: end both connections.
  public mutating func deadlinePassed() {
    state = .done
  }
}

/// How far a closing handshake has come.
public enum ClosingPhase: Hashable, Sendable {
  /// No Close has passed: data may.
  case open
  /// An answer is awaited, until the deadline.
  case closing
  /// Nothing more is to come from either side.
  case done
}

/// What to do with a Close that one side sent.
public enum ReceivedCloseAction: Hashable, Sendable {
  /// Send it on to the other side, whose answer is awaited now.
  case forward
  /// Send it on, for it answers the other side's Close; then end both connections.
  case forwardThenEndBoth
  /// Keep it: it answers the edge's Close. End this side's connection; the other side's answer is still awaited.
  case endThisSide
  /// Keep it: it answers the edge's Close, and no further answer is awaited. End both connections.
  case endBoth
  /// Ignore it: this side has nothing left to say.
  case ignore
}

/// What to do when the edge decides that the connection ends.
public enum DecidedToCloseAction: Hashable, Sendable {
  /// Send each side its Close; both answers are awaited now.
  case closeBoth
  /// A Close is under way already; leave it its course and its deadline.
  case ignore
}

/// What to do when one side's connection has ended.
public enum LostSideAction: Hashable, Sendable {
  /// End the other side's connection, without a Close: what a worker sees of a lost client.
  case endOther
  /// Send the client this code (1014) and await its answer: what a client sees of a lost worker.
  case closeClient(CloseCode)
  /// The client's own Close has no one left to answer it: send it back as it was, then end the client's connection.
  case answerClientThenEnd(CloseCode?)
  /// The other side has a Close before it; its answer is awaited until the deadline.
  case awaitOther
  /// Nothing is awaited from the other side. End it, if it has not ended.
  case endBoth
  /// The handshake was done before.
  case ignore
}

extension ClosingHandshake.State {
  mutating func receivedClose(_ code: CloseCode?, from side: FrameSender) -> ReceivedCloseAction {
    switch consume self {
    case .open:
      self = .relayed(code, from: side)
      return .forward
    case .relayed(let first, let sender):
      guard side != sender else {
        self = .relayed(first, from: sender)
        return .ignore
      }
      self = .done
      return .forwardThenEndBoth
    case .answering(.both):
      self = .answering(.one(side.opposite))
      return .endThisSide
    case .answering(.one(let awaited)):
      guard side == awaited else {
        self = .answering(.one(awaited))
        return .ignore
      }
      self = .done
      return .endBoth
    case .done:
      self = .done
      return .ignore
    }
  }

  mutating func decidedToClose() -> DecidedToCloseAction {
    switch consume self {
    case .open:
      self = .answering(.both)
      return .closeBoth
    case .relayed(let code, let sender):
      self = .relayed(code, from: sender)
      return .ignore
    case .answering(let awaited):
      self = .answering(awaited)
      return .ignore
    case .done:
      self = .done
      return .ignore
    }
  }

  mutating func lost(_ side: FrameSender) -> LostSideAction {
    switch consume self {
    case .open:
      switch side {
      case .client:
        self = .done
        return .endOther
      case .worker:
        self = .answering(.one(.client))
        return .closeClient(.badGateway)
      }
    case .relayed(let code, let sender):
      guard side != sender else {
        self = .answering(.one(sender.opposite))
        return .awaitOther
      }
      self = .done
      switch side {
      case .client: return .endOther
      case .worker: return .answerClientThenEnd(code)
      }
    case .answering(.both):
      self = .answering(.one(side.opposite))
      return .awaitOther
    case .answering(.one(let awaited)):
      guard side == awaited else {
        self = .answering(.one(awaited))
        return .awaitOther
      }
      self = .done
      return .endBoth
    case .done:
      self = .done
      return .ignore
    }
  }
}

extension FrameSender {
  /// The side that the frames go to.
  public var opposite: FrameSender {
    switch self {
    case .client: .worker
    case .worker: .client
    }
  }
}
