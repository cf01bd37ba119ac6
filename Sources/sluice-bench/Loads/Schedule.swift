import EdgeCore

/// When the messages of a fixed rate are meant to be sent: their waiting times count from then on, so that a proxy which holds up
/// the load generator does not hide what the messages after that one would have waited (coordinated omission).
struct Schedule {
  /// When message 0 is meant to be sent.
  let began: Instant
  let perSecond: Int

  /// When a message is meant to be sent.
  ///
  /// - Parameter number: from 0; up to 10^10.
  func moment(of number: Int) -> Instant {
    began + .nanoseconds(Int64(UInt64(number) * 1_000_000_000 / UInt64(perSecond)))
  }
}
