public import EdgeCore

/// How many frames that are no messages a connection may send: pings and pongs, which cost a worker an answer or a look, and
/// small fragments, which cost it more than they carry.
///
/// Beyond the budget a frame waits, and a client that goes on for `patience` is to be closed with 1008.
public struct FrameBudget: Sendable {
  /// A frame as the budget counts it. Larger fragments are free: what they carry is limited by bytes.
  public enum Frame: UInt64, Hashable, Sendable, CaseIterable {
    /// A continuation of less than `smallBytes`.
    case smallFragment = 1
    /// A ping or a pong.
    case control = 40
    /// A token in a message: it may cost a signature.
    case token = 400
  }

  /// What a frame meets.
  public enum Verdict: Hashable, Sendable {
    /// It passes.
    case allowed
    /// It passes after `retryAfter`: its turn is reserved.
    case delayed(LimitExcess)
    /// The client was told to wait for too long.
    case exhausted(LimitExcess)
  }

  private var word: UInt64 = 0
  private var episode = ExcessEpisode()

  /// Makes a full budget.
  public init() {}

  /// Charges one frame.
  ///
  /// - Parameter maxMessageBytes: how large a message may be.
  public mutating func charge(_ frame: Frame, maxMessageBytes: Int, now: Instant) -> Verdict {
    let rate = Self.rate(maxMessageBytes: maxMessageBytes)
    let (reserved, wait) = rate.reserve(word, cost: frame.rawValue, now: now)
    guard wait > .zero else {
      word = reserved
      return .allowed
    }
    let excess = LimitExcess(scope: .frames, kind: .frames, action: .delay, rate: rate, retryAfter: wait)
    guard episode.note(retryAfter: wait, now: now) < Self.patience else { return .exhausted(excess.escalated(to: .close)) }
    word = reserved
    return .delayed(excess)
  }

  /// Takes the charge for a frame back: it was an answer to a question of the edge's own. How many may come at once does not matter.
  public mutating func refund(_ frame: Frame) {
    word = Self.rate(maxMessageBytes: 0).refund(word, cost: frame.rawValue)
  }

  /// A fragment of fewer payload bytes is small.
  public static let smallBytes = 1024
  /// How long a client may go on beyond the budget.
  public static let patience = Duration.seconds(5)
  /// 100 control frames or 4,000 small fragments a second, and five seconds' worth at once: a browser sends a pong in half a
  /// minute, and a message of 1 MiB in pieces of 64 bytes has 16,384 of them. Where a message may be larger, as many at once as
  /// the largest one has.
  static func rate(maxMessageBytes: Int) -> GCRA {
    GCRA(unitsPerSecond: 4000, burst: max(20_000, UInt64(clamping: maxMessageBytes) / 64))
  }
}
