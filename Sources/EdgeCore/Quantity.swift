/// Readers and writers of the small languages that durations and sizes are written in, in settings and on command lines; each reader
/// returns nil for anything else.
public enum Quantity {
  /// Reads a duration: a whole number and `ms`, `s`, `m`, `h` or `d`.
  public static func duration(_ text: some StringProtocol) -> Duration? {
    guard let (count, unit) = numberAndUnit(text), let length = durationUnits.first(where: { $0.name == unit })?.milliseconds,
      case (let product, let overflow) = count.multipliedReportingOverflow(by: length), !overflow
    else { return nil }
    return .milliseconds(product)
  }

  /// Writes a duration in the largest unit that leaves a whole number; below a millisecond is lost.
  public static func text(_ duration: Duration) -> String {
    let milliseconds = Int(duration.nanoseconds / 1_000_000)
    guard milliseconds != 0 else { return "0s" }
    let unit = durationUnits.last { milliseconds % $0.milliseconds == 0 } ?? durationUnits[0]
    return "\(milliseconds / unit.milliseconds)\(unit.name)"
  }

  /// Reads a size in bytes: a whole number, alone or with `B`, `KiB`, `MiB` or `GiB`.
  public static func size(_ text: some StringProtocol) -> Int? {
    guard let (count, unit) = numberAndUnit(text),
      let factor = sizeUnits.first(where: { $0.name == unit || unit.isEmpty })?.bytes,
      case (let product, let overflow) = count.multipliedReportingOverflow(by: unit.isEmpty ? 1 : factor), !overflow
    else { return nil }
    return product
  }

  /// Writes a size in the largest unit that leaves a whole number.
  public static func text(size: Int) -> String {
    guard size != 0, let unit = sizeUnits.last(where: { size % $0.bytes == 0 }), unit.bytes > 1 else { return String(size) }
    return "\(size / unit.bytes)\(unit.name)"
  }

  /// Reads a rate: a count, a slash and `s`, `m`, `h`, `d` or a duration. `count` reads what stands before the slash.
  public static func countPerTime(_ text: some StringProtocol, count: (Substring) -> Int?) -> (count: Int, per: Duration)? {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map { Substring($0) }
    guard parts.count == 2, let count = count(parts[0]), count > 0,
      let per = duration(parts[1].utf8.first.map(ASCII.isDigit) == true ? parts[1] : "1" + parts[1]), per > .zero
    else { return nil }
    return (count, per)
  }

  /// Reads a whole number that is not negative.
  public static func integer(_ text: some StringProtocol) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy(ASCII.isDigit) else { return nil }
    return Int(text)
  }
}

private func numberAndUnit(_ text: some StringProtocol) -> (count: Int, unit: String)? {
  let digits = text.utf8.prefix(while: ASCII.isDigit).count
  guard let count = Quantity.integer(text.prefix(digits)) else { return nil }
  return (count, String(text.dropFirst(digits)))
}

private let durationUnits: [(name: String, milliseconds: Int)] = [
  ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
]
private let sizeUnits: [(name: String, bytes: Int)] = [("B", 1), ("KiB", 1024), ("MiB", 1_048_576), ("GiB", 1_073_741_824)]
