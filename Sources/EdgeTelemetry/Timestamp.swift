public import EdgeCore

extension WallTime {
  /// The moment as text with milliseconds, such as `2026-01-31T23:59:59.123Z` (RFC 3339).
  public var rfc3339: String {
    var text: [UInt8] = []
    appendRFC3339(to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Appends `2026-01-31T23:59:59.123Z` (RFC 3339), the fraction rounded down.
  func appendRFC3339(to line: inout [UInt8]) {
    let milliseconds = (nanoseconds - seconds * 1_000_000_000) / 1_000_000
    let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    let secondOfDay = seconds - days * 86_400
    let (year, month, day) = civilDate(daysSince1970: days)
    line.appendDigits(year, width: 4)
    line.append(UInt8(ascii: "-"))
    line.appendDigits(month, width: 2)
    line.append(UInt8(ascii: "-"))
    line.appendDigits(day, width: 2)
    line.append(UInt8(ascii: "T"))
    line.appendDigits(secondOfDay / 3_600, width: 2)
    line.append(UInt8(ascii: ":"))
    line.appendDigits(secondOfDay / 60 % 60, width: 2)
    line.append(UInt8(ascii: ":"))
    line.appendDigits(secondOfDay % 60, width: 2)
    line.append(UInt8(ascii: "."))
    line.appendDigits(milliseconds, width: 3)
    line.append(UInt8(ascii: "Z"))
  }
}

/// The date of the proleptic Gregorian calendar. Years are counted from March, so that the leap day comes last.
private func civilDate(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
  let daysSinceMarch = days + 719_468
  let era = (daysSinceMarch >= 0 ? daysSinceMarch : daysSinceMarch - 146_096) / 146_097
  let dayOfEra = daysSinceMarch - era * 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let monthFromMarch = (5 * dayOfYear + 2) / 153
  let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
}
