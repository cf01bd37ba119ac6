public import EdgeCore

/// A rate limit by the generic cell rate algorithm: a token bucket whose whole state is one 64-bit word.
///
/// The word is the moment, in nanoseconds of the monotonic clock, at which the bucket will be full again; 0 is a bucket that was
/// never used. The state is the caller's: a plain variable, or an atomic in a shared table, exchanged until it holds.
public struct GCRA: Hashable, Sendable {
  /// What a charge meets.
  public enum Verdict: Hashable, Sendable {
    /// It fits and was taken.
    case allowed
    /// It does not fit; nothing was taken. The same charge fits after so long, if nobody else charges.
    case retryAfter(Duration)
  }

  /// Units that flow back in one period.
  public let units: UInt64
  /// The period in nanoseconds.
  public let periodNanoseconds: UInt64
  /// The units that a full bucket holds.
  public let burst: UInt64
  /// How far ahead of now the word may be.
  private let toleranceNanoseconds: UInt64
  /// The price of one unit, which most charges are for.
  private let unitNanoseconds: UInt64

  /// Makes a limit of `units` in `period`, of which `burst` may come at once.
  ///
  /// Nil where units, period or burst is not positive.
  public init?(units: UInt64, per period: Duration, burst: UInt64) {
    guard units > 0, burst > 0, period.nanoseconds > 0 else { return nil }
    self.units = units
    self.burst = burst
    periodNanoseconds = UInt64(period.nanoseconds)
    toleranceNanoseconds = scaled(burst, by: periodNanoseconds, over: units)
    unitNanoseconds = scaled(1, by: periodNanoseconds, over: units)
  }

  /// Makes a limit of this module's own, whose numbers are positive.
  init(unitsPerSecond units: UInt64, burst: UInt64) {
    precondition(units > 0 && burst > 0)
    self.units = units
    self.burst = burst
    periodNanoseconds = 1_000_000_000
    toleranceNanoseconds = scaled(burst, by: periodNanoseconds, over: units)
    unitNanoseconds = scaled(1, by: periodNanoseconds, over: units)
  }

  /// The limit of something that may do `factor` times as much: rate and burst alike.
  ///
  /// - Parameter factor: at least 1.
  public func times(_ factor: Int) -> GCRA {
    let factor = UInt64(max(1, factor))
    let product = { (value: UInt64) in
      let (product, overflow) = value.multipliedReportingOverflow(by: factor)
      return overflow ? UInt64.max : product
    }
    return GCRA(units: product(units), per: .nanoseconds(Int64(clamping: periodNanoseconds)), burst: product(burst)) ?? self
  }

  /// Charges `cost` units.
  ///
  /// A cost above `burst`, which no bucket holds, needs a full bucket and then empties it as deeply as it costs: a large message
  /// is late, not lost. One charge is exact to a nanosecond.
  ///
  /// - Returns: the word to keep, which is the given one unless the charge was allowed, and the verdict.
  public func charge(_ word: UInt64, cost: UInt64, now: Instant) -> (word: UInt64, verdict: Verdict) {
    let (end, limit) = spans(word, cost: cost, now: now)
    guard end > limit else { return (end, .allowed) }
    return (word, .retryAfter(.nanoseconds(Int64(clamping: end - limit))))
  }

  /// Takes `cost` units whether they fit or not: a place in the queue of those who wait.
  ///
  /// - Returns: the word to keep, and how long whoever charged has to wait; zero where `charge` would have allowed it.
  public func reserve(_ word: UInt64, cost: UInt64, now: Instant) -> (word: UInt64, wait: Duration) {
    let (end, limit) = spans(word, cost: cost, now: now)
    return (end, end > limit ? .nanoseconds(Int64(clamping: end - limit)) : .zero)
  }

  /// The word after a charge, if it fits; else nil. The same as `charge`, for who does not ask how long to wait: without a
  /// `Duration` it takes a quarter of the instructions.
  @inline(__always)
  func wordAfter(_ word: UInt64, cost: UInt64, now: Instant) -> UInt64? {
    let (end, limit) = spans(word, cost: cost, now: now)
    return end > limit ? nil : end
  }

  /// Where the word would stand, and where it may stand at most.
  @inline(__always)
  private func spans(_ word: UInt64, cost: UInt64, now: Instant) -> (end: UInt64, limit: UInt64) {
    let price = price(of: cost)
    return (sum(max(word, now.nanoseconds), price), sum(now.nanoseconds, max(toleranceNanoseconds, price)))
  }

  @inline(__always)
  private func price(of cost: UInt64) -> UInt64 {
    cost == 1 ? unitNanoseconds : scaled(cost, by: periodNanoseconds, over: units)
  }

  /// Takes a charge back that was allowed, because another limit refused the same thing, or a reservation that is not used.
  public func refund(_ word: UInt64, cost: UInt64) -> UInt64 {
    let price = price(of: cost)
    return word > price ? word - price : 0
  }

  /// Whether the bucket is full, so that its state need not be kept.
  public static func isFull(_ word: UInt64, now: Instant) -> Bool {
    word <= now.nanoseconds
  }
}

/// `amount * factor / divisor` rounded down, held at a quarter of the range so that sums with the clock do not wrap.
private func scaled(_ amount: UInt64, by factor: UInt64, over divisor: UInt64) -> UInt64 {
  let product = amount.multipliedFullWidth(by: factor)
  guard product.high > 0 else { return min(product.low / divisor, maxSpan) }
  guard product.high < divisor else { return maxSpan }
  return min(divisor.dividingFullWidth(product).quotient, maxSpan)
}

private func sum(_ left: UInt64, _ right: UInt64) -> UInt64 {
  let (sum, overflow) = left.addingReportingOverflow(right)
  return overflow ? .max : sum
}

/// 146 years.
private let maxSpan = UInt64.max / 4
