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

extension JSON {
  /// A number, written without a fraction where it has none.
  public static func wholeOrNot(_ number: Double) -> JSON {
    Int64(exactly: number).map(JSON.integer) ?? .number(number)
  }

  /// The value as compact JSON text that is safe on a terminal: what it would obey is written as `\u001b`, which means the same.
  public var terminalSafeText: String {
    var text = ""
    for scalar in String(decoding: encoded(), as: UTF8.self).unicodeScalars {
      if TerminalText.isDangerous(scalar) {
        for unit in String(scalar).utf16 {
          let digits = String(unit, radix: 16)
          text += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
        }
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}
