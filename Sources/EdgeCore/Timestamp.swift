extension WallTime {
  /// The moment as text with milliseconds, such as `2026-01-31T23:59:59.123Z` (RFC 3339), the fraction rounded down.
  public var rfc3339: String {
    let text = rfc3339Bytes
    return unsafe text.span.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }

  /// The same as bytes.
  public var rfc3339Bytes: InlineArray<24, UInt8> {
    let fraction = nanoseconds % 1_000_000_000
    let milliseconds = (fraction < 0 ? fraction + 1_000_000_000 : fraction) / 1_000_000
    let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    let secondOfDay = seconds - days * 86_400
    let (year, month, day) = civilDate(daysSince1970: days)
    var text = InlineArray<24, UInt8>(repeating: UInt8(ascii: "-"))
    text.set(year, at: 0..<4)
    text.set(month, at: 5..<7)
    text.set(day, at: 8..<10)
    text[10] = UInt8(ascii: "T")
    text.set(secondOfDay / 3_600, at: 11..<13)
    text[13] = UInt8(ascii: ":")
    text.set(secondOfDay / 60 % 60, at: 14..<16)
    text[16] = UInt8(ascii: ":")
    text.set(secondOfDay % 60, at: 17..<19)
    text[19] = UInt8(ascii: ".")
    text.set(milliseconds, at: 20..<23)
    text[23] = UInt8(ascii: "Z")
    return text
  }

  /// Reads a moment such as `2026-01-31T23:59:59Z` or `2026-02-01T00:59:59.5+01:00` (RFC 3339 §5.6), to the nanosecond.
  ///
  /// A leap second is the first of the next minute. Nil for anything else, and for moments that 64 bits do not hold.
  public init?(rfc3339 text: some StringProtocol) {
    let bytes = Array(text.utf8)
    guard bytes.count >= 20, let year = number(bytes[0..<4]), bytes[4] == UInt8(ascii: "-"), let month = number(bytes[5..<7]),
      bytes[7] == UInt8(ascii: "-"), let day = number(bytes[8..<10]), bytes[10] | 0x20 == UInt8(ascii: "t"),
      let hour = number(bytes[11..<13]), bytes[13] == UInt8(ascii: ":"), let minute = number(bytes[14..<16]),
      bytes[16] == UInt8(ascii: ":"), let second = number(bytes[17..<19]),
      (1...12).contains(month), day >= 1, hour <= 23, minute <= 59, second <= 60
    else { return nil }
    let days = daysSince1970(year: year, month: month, day: day)
    guard civilDate(daysSince1970: days) == (year, month, day) else { return nil }
    var rest = bytes[19...]
    var fraction: Int64 = 0
    if rest.first == UInt8(ascii: ".") {
      let digits = rest.dropFirst().prefix(while: ASCII.isDigit)
      guard (1...9).contains(digits.count), let value = number(digits) else { return nil }
      fraction = (digits.count..<9).reduce(value) { value, _ in value * 10 }
      rest = rest.dropFirst(1 + digits.count)
    }
    guard let offset = offsetSeconds(rest) else { return nil }
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carried) = whole.addingReportingOverflow(fraction)
    guard !overflow, !carried else { return nil }
    self.init(nanoseconds: sum)
  }
}

/// How far a zone is ahead of UTC: `Z`, `+01:00`, `-09:30`.
private func offsetSeconds(_ text: ArraySlice<UInt8>) -> Int64? {
  guard let sign = text.first else { return nil }
  if sign | 0x20 == UInt8(ascii: "z") { return text.count == 1 ? 0 : nil }
  let parts = text.dropFirst().split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
  guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), parts.count == 2, parts.allSatisfy({ $0.count == 2 }),
    let hours = number(parts[0]), let minutes = number(parts[1]), hours <= 23, minutes <= 59
  else { return nil }
  let seconds = hours * 3_600 + minutes * 60
  return sign == UInt8(ascii: "+") ? seconds : -seconds
}

private func number(_ digits: ArraySlice<UInt8>) -> Int64? {
  digits.allSatisfy(ASCII.isDigit) ? digits.reduce(0) { $0 * 10 + Int64($1 & 0x0f) } : nil
}

/// The inverse of `civilDate`, for months from 1 to 12.
private func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64 {
  let yearFromMarch = month <= 2 ? year - 1 : year
  let era = (yearFromMarch >= 0 ? yearFromMarch : yearFromMarch - 399) / 400
  let yearOfEra = yearFromMarch - era * 400
  let monthFromMarch = (month + 9) % 12
  let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
  return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
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

extension InlineArray<24, UInt8> {
  /// Writes the last decimal digits of a number that is not negative, zeros in front included.
  fileprivate mutating func set(_ value: Int64, at places: Range<Int>) {
    var rest = UInt64(value)
    var place = places.upperBound
    while place > places.lowerBound {
      place -= 1
      self[place] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    }
  }
}
