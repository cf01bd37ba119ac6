/// Names one client connection for as long as the process lives. Never reused.
public struct ConnectionID: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The reactor in the upper 16 bits, a count from 1 in the lower 48.
  public let rawValue: UInt64

  /// Makes the identifier of the `serial`th connection of a reactor.
  public init(reactor: Int, serial: UInt64) {
    rawValue = UInt64(UInt16(truncatingIfNeeded: reactor)) << 48 | serial & (1 << 48 - 1)
  }

  /// Reads the text that `description` gives.
  public init?(_ text: some StringProtocol) {
    guard text.utf8.count == 16, let bytes = Hexadecimal.bytes(text.utf8) else { return nil }
    rawValue = bytes.reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// The reactor that the connection lives on.
  public var reactor: Int { Int(rawValue >> 48) }

  /// Sixteen lower-case hexadecimal digits.
  public var description: String { Hexadecimal.text(rawValue) }

  /// Orders by reactor, then by age.
  public static func < (lhs: ConnectionID, rhs: ConnectionID) -> Bool {
    lhs.rawValue < rhs.rawValue
  }
}

/// Who caused an end or an error: the label `initiator` of logs and metrics.
public enum Initiator: String, Sendable, CaseIterable {
  /// The client asked for it, or broke the protocol.
  case client
  /// The worker asked for it, broke the protocol, or died.
  case worker
  /// The edge decided it.
  case edge
  /// The network took it away without a word.
  case network
}
