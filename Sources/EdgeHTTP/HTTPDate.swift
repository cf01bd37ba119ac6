public import EdgeCore

/// Dates as HTTP writes them (RFC 9110 §5.6.7).
public enum HTTPDate {
  /// The date in the preferred form, such as `Sun, 06 Nov 1994 08:49:37 GMT`; years 0–9999.
  public static func text(_ time: WallTime) -> String {
    let seconds = time.seconds
    let days = floorDivide(seconds, by: 86_400)
    let second = seconds - days * 86_400
    let (year, month, day) = civilDate(daysSince1970: days)
    let weekday = weekdays[Int(modulo(days + 4, by: 7))]
    let clock = "\(pad(second / 3600)):\(pad(second / 60 % 60)):\(pad(second % 60))"
    return "\(weekday), \(pad(day)) \(months[Int(month) - 1]) \(pad(year, to: 4)) \(clock) GMT"
  }
}

/// Year, month and day in the Gregorian calendar, by 400-year eras whose years begin in March, so that the leap day comes last.
private func civilDate(daysSince1970: Int64) -> (year: Int64, month: Int64, day: Int64) {
  let shifted = daysSince1970 + daysFromMarchZeroTo1970
  let era = floorDivide(shifted, by: daysPerEra)
  let dayOfEra = shifted - era * daysPerEra
  let leapDays = dayOfEra / 1460 - dayOfEra / 36_524 + dayOfEra / (daysPerEra - 1)
  let yearOfEra = (dayOfEra - leapDays) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let monthFromMarch = (5 * dayOfYear + 2) / 153
  let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
  let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
}

private func floorDivide(_ value: Int64, by divisor: Int64) -> Int64 {
  (value - modulo(value, by: divisor)) / divisor
}

private func modulo(_ value: Int64, by divisor: Int64) -> Int64 {
  let remainder = value % divisor
  return remainder < 0 ? remainder + divisor : remainder
}

private func pad(_ number: Int64, to width: Int = 2) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}

private let daysPerEra: Int64 = 146_097
private let daysFromMarchZeroTo1970: Int64 = 719_468
private let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
private let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
