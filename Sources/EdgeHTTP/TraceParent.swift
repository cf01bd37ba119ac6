internal import EdgeCore

/// The place of a request in a distributed trace (W3C Trace Context §3.2).
public struct TraceParent: Hashable, Sendable, CustomStringConvertible {
  /// 32 lower-case hexadecimal digits, not all zero.
  public let traceID: String
  /// 16 lower-case hexadecimal digits, not all zero.
  public let spanID: String
  /// The flags octet as two lower-case hexadecimal digits; bit 0 asks for a recording.
  public let flags: String

  /// Begins a trace from 24 random bytes.
  ///
  /// - Parameter isSampled: true leaves the decision to the worker as if there were no edge: the usual samplers follow a false.
  public init(random: (UInt64, UInt64, UInt64), isSampled: Bool = true) {
    traceID = Hexadecimal.text(random.0) + Hexadecimal.text(max(1, random.1))
    spanID = Hexadecimal.text(max(1, random.2))
    flags = isSampled ? "01" : "00"
  }

  /// Reads a field's value.
  ///
  /// A version above 00 is read as far as version 00 goes and becomes 00, as the specification asks.
  ///
  /// - Returns: nil for anything malformed; then the trace begins anew.
  public init?(parsing value: String) {
    let parts = value.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 4, let version = parts.first, isHexadecimal(version, count: 2), version != "ff" else { return nil }
    guard parts.count == 4 || version != "00" else { return nil }
    guard isHexadecimal(parts[1], count: 32), isHexadecimal(parts[2], count: 16), isHexadecimal(parts[3], count: 2) else {
      return nil
    }
    guard !isZero(parts[1]), !isZero(parts[2]) else { return nil }
    traceID = String(parts[1])
    spanID = String(parts[2])
    flags = String(parts[3])
  }

  /// The field's value, in version 00.
  public var description: String {
    var text: [UInt8] = []
    text.reserveCapacity(textBytes)
    text.append(latin1: "00-")
    text.append(latin1: traceID)
    text.append(latin1: "-")
    text.append(latin1: spanID)
    text.append(latin1: "-")
    text.append(latin1: flags)
    return String(latin1: text[...])
  }
}

private func isHexadecimal(_ text: Substring, count: Int) -> Bool {
  text.utf8.count == count && text.utf8.allSatisfy { ASCII.isDigit($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0) }
}

private func isZero(_ text: Substring) -> Bool {
  text.utf8.allSatisfy { $0 == UInt8(ascii: "0") }
}

/// Of every value in version 00.
private let textBytes = 55
