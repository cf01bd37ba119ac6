import EdgeConfig
import EdgePolicy

/// What the configuration says of messages, as the limiter takes it.
extension MessageLimits {
  /// - Parameter factor: multiplies what may pass: for a network of many addresses.
  init(messages: Configuration.MeteredLimit?, bytes: Configuration.MeteredLimit?, factor: Int = 1) {
    self.init(
      messages: messages.flatMap { MeteredLimit($0, factor: factor) }, bytes: bytes.flatMap { MeteredLimit($0, factor: factor) })
  }
}

extension MeteredLimit {
  fileprivate init?(_ limit: Configuration.MeteredLimit, factor: Int) {
    guard let rate = GCRA(limit.rate, burst: limit.burst, factor: factor) else { return nil }
    let action: LimitAction =
      switch limit.over {
      case .delay: .delay
      case .drop: .drop
      case .close: .close
      }
    self.init(rate: rate, over: action, closeAfter: limit.closeAfter)
  }
}

extension GCRA {
  /// A rate of the configuration, whose numbers are positive.
  init?(_ rate: Configuration.Rate, burst: Int, factor: Int = 1) {
    self.init(units: scaled(rate.count, by: factor), per: rate.per, burst: scaled(burst, by: factor))
  }
}

private func scaled(_ count: Int, by factor: Int) -> UInt64 {
  let (product, overflow) = UInt64(max(0, count)).multipliedReportingOverflow(by: UInt64(max(1, factor)))
  return overflow ? .max : product
}
