internal import EdgeCore

/// What names a distributed trace: sixteen bytes, not all zero (W3C Trace Context §3.2.2.3).
public struct TraceID: Hashable, Sendable, CustomStringConvertible {
  /// Its first 64 bits.
  public let high: UInt64
  /// Its last 64 bits.
  public let low: UInt64

  /// 32 lower-case hexadecimal digits.
  public var description: String {
    var text: [UInt8] = []
    text.reserveCapacity(32)
    append(to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Adds the same.
  func append(to text: inout [UInt8]) {
    Hexadecimal.append(high, to: &text)
    Hexadecimal.append(low, to: &text)
  }
}

/// The place of a request in a distributed trace (W3C Trace Context §3.2).
public struct TraceParent: Hashable, Sendable, CustomStringConvertible {
  /// The trace's name.
  public let traceID: TraceID
  /// The name of the caller's own part of it, not zero.
  private let spanID: UInt64
  /// The flags octet: bit 0 asks for a recording.
  private let flags: UInt8

  /// Begins a trace from 24 random bytes.
  ///
  /// - Parameter isSampled: true leaves the decision to the worker as if there were no edge: the usual samplers follow a false.
  public init(random: (UInt64, UInt64, UInt64), isSampled: Bool = true) {
    traceID = TraceID(high: random.0, low: max(1, random.1))
    spanID = max(1, random.2)
    flags = isSampled ? 1 : 0
  }

  /// Reads a field's value.
  ///
  /// A version above 00 is read as far as version 00 goes and becomes 00, as the specification asks.
  ///
  /// - Returns: nil for anything malformed; then the trace begins anew.
  public init?(parsing value: String) {
    let parts = value.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 4, let version = number(parts[0], digits: 2), version != 0xff else { return nil }
    guard parts.count == 4 || version != 0 else { return nil }
    guard parts[1].utf8.count == 32, let high = number(parts[1].prefix(16), digits: 16),
      let low = number(parts[1].suffix(16), digits: 16), let span = number(parts[2], digits: 16),
      let flags = number(parts[3], digits: 2)
    else { return nil }
    guard high | low != 0, span != 0 else { return nil }
    traceID = TraceID(high: high, low: low)
    spanID = span
    self.flags = UInt8(truncatingIfNeeded: flags)
  }

  /// The field's value, in version 00.
  public var description: String {
    var text: [UInt8] = []
    text.reserveCapacity(55)
    append(to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Adds the same.
  func append(to text: inout [UInt8]) {
    text.append(latin1: "00-")
    traceID.append(to: &text)
    text.append(UInt8(ascii: "-"))
    Hexadecimal.append(spanID, to: &text)
    text.append(UInt8(ascii: "-"))
    Hexadecimal.append(flags, to: &text)
  }
}

/// The number that `text` writes in exactly so many lower-case hexadecimal digits, at most 16.
private func number(_ text: Substring, digits: Int) -> UInt64? {
  guard text.utf8.count == digits else { return nil }
  var number: UInt64 = 0
  for byte in text.utf8 {
    guard byte == ASCII.lowercased(byte), let digit = ASCII.hexDigit(byte) else { return nil }
    number = number << 4 | UInt64(digit)
  }
  return number
}
