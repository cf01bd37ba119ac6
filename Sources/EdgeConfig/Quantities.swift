import EdgeCore

extension Quantity {
  /// Reads a rate; `count` reads what stands before the slash.
  static func rate(_ text: some StringProtocol, count: (Substring) -> Int?) -> Configuration.Rate? {
    countPerTime(text, count: count).map { Configuration.Rate(count: $0.count, per: $0.per) }
  }

  /// Writes a rate; `count` writes what stands before the slash.
  static func text(_ rate: Configuration.Rate, count: (Int) -> String) -> String {
    let per = text(rate.per)
    return
      "\(count(rate.count))/\(per.hasPrefix("1") && per.utf8.dropFirst().allSatisfy(ASCII.isLetter) ? String(per.dropFirst()) : per)"
  }
}
