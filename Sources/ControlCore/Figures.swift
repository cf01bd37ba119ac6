internal import EdgeCore

/// Numbers as people read them.
public enum Figures {
  /// A time in its two largest units: `850ms`, `12s`, `3m05s`, `2h14m`, `5d03h`.
  public static func duration(seconds: Double) -> String {
    guard seconds.isFinite, seconds > 0 else { return "0s" }
    guard seconds >= 1 else { return "\(Int((seconds * 1_000).rounded(.down)))ms" }
    let whole = Int(min(seconds, 1e12))
    switch whole {
    case ..<60: return "\(whole)s"
    case ..<3_600: return "\(whole / 60)m\(twoDigits(whole % 60))s"
    case ..<86_400: return "\(whole / 3_600)h\(twoDigits(whole / 60 % 60))m"
    default: return "\(whole / 86_400)d\(twoDigits(whole / 3_600 % 24))h"
    }
  }

  /// A whole number with its thousands apart: `2,431`.
  public static func count(_ number: Int64) -> String {
    let digits = String(number.magnitude)
    var grouped = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { grouped += "," }
      grouped.append(digit)
    }
    return number < 0 ? "-\(grouped)" : grouped
  }

  /// A whole number and what it counts: `1 connection`, `2,431 connections`.
  public static func count(_ number: Int64, _ singular: String, plural: String? = nil) -> String {
    "\(count(number)) \(number == 1 ? singular : plural ?? singular + "s")"
  }

  /// A size in the unit that leaves one to four digits: `812 B`, `1.4 KiB`.
  public static func bytes(_ bytes: Double) -> String {
    var value = max(0, bytes)
    var unit = 0
    while value >= 1_024, unit < byteUnits.count - 1 {
      value /= 1_024
      unit += 1
    }
    return unit == 0 ? "\(Int(value)) B" : "\(oneDecimal(value)) \(byteUnits[unit])"
  }

  /// How often something happens: `0/s`, `3.2/s`, `1,240/s`.
  public static func rate(_ perSecond: Double) -> String {
    perSecond >= 100 || perSecond == 0 ? "\(count(Int64(perSecond.rounded())))/s" : "\(oneDecimal(perSecond))/s"
  }

  /// A size for each second: `1.4 KiB/s`.
  public static func byteRate(_ perSecond: Double) -> String { "\(bytes(perSecond))/s" }

  private static func oneDecimal(_ value: Double) -> String {
    let tenths = Int((min(value, 1e15) * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

private let byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
