/// What is known of a connection's incoming bytes: what was received and not used yet, and whether more may wait in the kernel.
///
/// Epoll tells each readiness once. What nobody could act on at that moment, because reading was paused or another had its
/// turn, has to be remembered: here, for clients and workers alike.
struct Inlet {
  /// Bytes received and not used yet: the beginning of a frame, or of the next request.
  private(set) var kept: [UInt8] = []
  /// Whether reading is paused: the other side is slow, or nobody wants bytes now.
  private(set) var isPaused = false
  /// Whether what is kept may be of use now, without further bytes.
  private var hasFreshKept = false
  private var mayHaveInput = false
  /// The peer has ended its side: read on until that is found, past short reads.
  private var isEnding = false

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
  var isQuiet: Bool { kept.isEmpty && !mayHaveInput && !isEnding }

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
  /// - Returns: whether to take a turn for what has come meanwhile.
  mutating func resume() -> Bool {
    guard isPaused else { return false }
    isPaused = false
    hasFreshKept = !kept.isEmpty
    return hasFreshKept || mayHaveInput
  }

  /// Gives the kept bytes away, to be used together with those behind them.
  ///
  /// - Returns: whether to take another turn later, for what may wait in the kernel.
  mutating func takeKept() -> Bool {
    kept = []
    hasFreshKept = false
    return mayHaveInput
  }

  /// Keeps bytes that nobody could use yet.
  mutating func keep(_ bytes: Span<UInt8>) {
    kept = Array(copying: bytes)
  }

  /// Everything that comes is to be read and dropped from now on.
  ///
  /// - Returns: whether to take a turn for what has come already.
  mutating func discard() -> Bool {
    kept = []
    hasFreshKept = false
    isPaused = false
    return mayHaveInput || isEnding
  }
}
