/// How long to wait between attempts: twice as long each time, up to a bound, and never in step with others.
public struct Backoff: Sendable, Hashable {
  private let shortest: Duration
  private let longest: Duration
  private var doublings = 0

  /// Makes a backoff whose first wait is at most `shortest`, and each wait at most `longest`.
  public init(from shortest: Duration, to longest: Duration) {
    precondition(shortest > .zero && longest >= shortest, "waits grow from a positive duration")
    self.shortest = shortest
    self.longest = longest
  }

  /// Whether no wait was asked for since the start or the last success.
  public var isFresh: Bool { doublings == 0 }

  /// The next wait: between half of its bound and all of it, as `random` bits decide.
  public mutating func next(random: UInt64) -> Duration {
    let bound = min(longest, shortest * (1 << doublings))
    if bound < longest { doublings += 1 }
    return bound / 2 + bound / 2 * (Double(random >> 11) / Double(1 << 53))
  }

  /// Begins anew, after a success.
  public mutating func reset() {
    doublings = 0
  }
}
