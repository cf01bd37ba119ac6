/// The decimal text of a TCP port.
public enum PortNumber {
  /// Reads digits and nothing else, zeros in front included; nil for none, for 0, and beyond 65,535.
  public static func parse(_ digits: Span<UInt8>) -> UInt16? {
    var number = 0
    for index in digits.indices {
      guard ASCII.isDigit(digits[index]) else { return nil }
      number = number * 10 + Int(digits[index] - UInt8(ascii: "0"))
      guard number <= UInt16.max else { return nil }
    }
    return number > 0 ? UInt16(number) : nil
  }
}
