public import EdgeCore

/// How long a client has gone on beyond its limits.
///
/// An episode begins with the first excess, and each further one prolongs it; it is over when a second has passed since the
/// client was to try again and it stayed within its limits. So a client that is delayed or loses messages all the time is in one
/// long episode, however many of its messages pass in between.
public struct ExcessEpisode: Sendable {
  private var began = Instant(nanoseconds: 0)
  /// A further excess before this moment belongs to the episode; 0 where there is none.
  private var lasts = Instant(nanoseconds: 0)

  /// Makes the state of a client that has kept within its limits.
  public init() {}

  /// Notes an excess.
  ///
  /// - Parameter retryAfter: when the client may try again.
  /// - Returns: for how long the episode has lasted.
  public mutating func note(retryAfter: Duration, now: Instant) -> Duration {
    if now >= lasts { began = now }
    lasts = max(lasts, now + retryAfter + Self.quiet)
    return now - began
  }

  /// Whether the episode is not over yet.
  public func goesOn(at now: Instant) -> Bool { now < lasts }

  /// How long a client must keep within its limits to be a good one again.
  public static let quiet = Duration.seconds(1)
}
