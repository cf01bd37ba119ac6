public import EdgeCore
import EdgePolicy
public import EdgeWebSocket

/// What a client says on a WebSocket that the edge has accepted itself, before a worker has it: its token, or the answer to the
/// Close that tells it why it may not come in.
public struct ReceptionReader: ~Copyable {
  private var frames = FrameReader(sender: .client, maxMessageBytes: .max, checksUTF8: false)
  private var budget = FrameBudget()
  private var isClosing = false

  /// Begins with the client's first frame.
  public init() {}

  /// A Close is on its way to the client: what it still says is skipped, up to its own Close.
  public mutating func beganClosing() {
    isClosing = true
  }

  /// Reads one step of the client's bytes, which begin at `offset` of `bytes`.
  public mutating func next(_ bytes: Span<UInt8>, at offset: Int, now: Instant) -> ReceptionStep {
    if !isClosing, let header = frames.header(in: bytes, at: offset), !header.opcode.isControl {
      switch TokenMessage.recognize(header, in: bytes, at: offset) {
      case .token(let message): return .token(message, end: message.payload.upperBound)
      case .undecided: return .keep
      case .other: return .otherMessage
      }
    }
    do {
      switch try frames.next(bytes, at: offset) {
      case .needMore: return .keep
      case .data(_, startsMessage: _, let end), .payload(let end, endsFrame: _, endsMessage: _): return .skip(end: end)
      case .pong(_, let end): return pass(.skip(end: end), now: now)
      case .ping(let body, let end): return pass(isClosing ? .skip(end: end) : .ping(body, end: end), now: now)
      case .close(let code, reason: _, let end): return .close(code ?? .noStatus, end: end)
      case .afterClose: return .skip(end: bytes.count)
      }
    } catch {
      return .failed(error.closeCode, reason: error.rawValue)
    }
  }

  /// Nobody waits here long enough to be slowed down: who is beyond the budget goes.
  private mutating func pass(_ step: ReceptionStep, now: Instant) -> ReceptionStep {
    switch budget.charge(.control, maxMessageBytes: 0, now: now) {
    case .allowed: step
    case .delayed, .exhausted: .failed(.policyViolation, reason: "rate_limited;retry_after=1")
    }
  }
}

/// What to do with the next bytes of a client that no worker has yet.
public enum ReceptionStep: Equatable, Sendable {
  /// The bytes before `end` are of no interest.
  case skip(end: Int)
  /// The rest is part of a frame: keep it, and offer it again in front of what comes next.
  case keep
  /// The client brings its token.
  case token(TokenMessage, end: Int)
  /// The client begins another message than its token.
  case otherMessage
  /// The client wants a pong.
  case ping(ControlBody, end: Int)
  /// The client says Close, or answers one.
  case close(CloseCode, end: Int)
  /// The client breaks the protocol, or sends too many frames: it is told, and nothing more of it is read.
  case failed(CloseCode, reason: String)
}
