public import EdgeCore

extension Quantity {
  /// Reads a rate as so many a second; nil also where that is no whole number, since the API takes none.
  ///
  /// - Parameter count: reads what stands before the slash.
  public static func perSecond(_ text: String, count: (Substring) -> Int?) -> Int64? {
    guard let (count, per) = countPerTime(text, count: count),
      case (let product, let overflow) = Int64(count).multipliedReportingOverflow(by: 1_000), !overflow
    else { return nil }
    let milliseconds = per.nanoseconds / 1_000_000
    guard milliseconds > 0, product.isMultiple(of: milliseconds) else { return nil }
    return product / milliseconds
  }
}
