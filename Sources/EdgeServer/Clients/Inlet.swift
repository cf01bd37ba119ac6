/// What is known of a connection's incoming bytes: whether more may wait in the kernel, and whether they are wanted now.
///
/// Epoll tells each readiness once. What nobody could act on at that moment, because reading was paused or another had its
/// turn, has to be remembered: here, for clients and workers alike. The bytes that were received and not used stay with the
/// connection: without an array in it, an access to this needs no exclusivity check at run time, which would cost an echo 700
/// user instructions (`scripts/bench --parts instructions`).
struct Inlet {
  /// Whether reading is paused: the other side is slow, or nobody wants bytes now.
  private(set) var isPaused = false
  /// Whether what is kept may be of use now, without further bytes.
  private var hasFreshKept = false
  private var mayHaveInput = false
  /// The peer has ended its side: read on until that is found, past short reads.
  private(set) var isEnding = false

  /// What to do when it is this connection's turn.
  enum Turn {
    case wait
    case useKept
    case receive
  }

  /// What to do now.
  var turn: Turn {
    guard !isPaused else { return .wait }
    return hasFreshKept ? .useKept : mayHaveInput ? .receive : .wait
  }

  /// Whether nothing is on its way in, as far as is known.
  var isQuiet: Bool { !mayHaveInput && !isEnding }

  /// Readiness was told.
  ///
  /// - Parameter ending: the peer has ended its side.
  mutating func becameReadable(ending: Bool) {
    mayHaveInput = true
    if ending { isEnding = true }
  }

  /// A read brought bytes.
  ///
  /// - Parameter more: it filled its room, so that more may wait.
  /// - Returns: whether to take another turn later.
  mutating func received(more: Bool) -> Bool {
    mayHaveInput = more || isEnding
    return mayHaveInput
  }

  /// A read found nothing.
  ///
  /// - Returns: whether the peer's end was announced all the same: then the connection is of no more use.
  mutating func foundNothing() -> Bool {
    mayHaveInput = false
    return isEnding
  }

  /// A read found the end.
  mutating func foundEnd() {
    mayHaveInput = false
    isEnding = false
  }

  /// Bytes stay where they are until `resume`.
  mutating func pause() {
    isPaused = true
  }

  /// Reading goes on.
  ///
  /// - Parameter hasKept: whether bytes are kept, which may be of use now.
  /// - Returns: whether to take a turn for what has come meanwhile.
  mutating func resume(hasKept: Bool) -> Bool {
    guard isPaused else { return false }
    isPaused = false
    hasFreshKept = hasKept
    return hasFreshKept || mayHaveInput
  }

  /// The kept bytes are being used, together with those behind them.
  ///
  /// - Returns: whether to take another turn later, for what may wait in the kernel.
  mutating func useKept() -> Bool {
    hasFreshKept = false
    return mayHaveInput
  }

  /// Everything that comes is to be read and dropped from now on.
  ///
  /// - Returns: whether to take a turn for what has come already.
  mutating func discard() -> Bool {
    hasFreshKept = false
    isPaused = false
    return mayHaveInput || isEnding
  }
}
