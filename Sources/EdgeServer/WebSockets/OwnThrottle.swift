import EdgeCore
import EdgeIO
import EdgePolicy

/// A throttle that an operator put on one connection.
struct OwnThrottle {
  let rates: Throttle
  /// When it ends by itself; `distantFuture` for as long as the connection lasts.
  let ends: Instant
  /// The same for people; nil for as long as the connection lasts.
  let until: WallTime?

  init(rates: Throttle, for ttl: Duration?) {
    self.rates = rates
    ends = ttl.map { MonotonicClock.now() + $0 } ?? .distantFuture
    until = ttl.map { WallClock.now().adding($0) }
  }
}
