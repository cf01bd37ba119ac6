public import EdgeWebSocket

/// A text message that is for the edge itself: an unfragmented frame that begins exactly `{"type":"edge.token"`.
public struct TokenMessage: Equatable, Sendable {
  /// Where its payload lies, in the bytes that were read.
  public let payload: Range<Int>
  /// The key that lies over the payload.
  public let maskKey: MaskKey

  /// The largest payload, in bytes.
  public static let maxBytes = 8192

  /// Its payload, unmasked.
  public func text(in bytes: Span<UInt8>) -> [UInt8] {
    payload.enumerated().map { bytes[$1] ^ maskKey.byte(at: $0) }
  }

  /// What lies where a token message may begin.
  enum Recognition: Equatable {
    case token(TokenMessage)
    /// It may be one, once more bytes have come.
    case undecided
    case other
  }

  /// Looks at the frame with `header` at `offset`.
  static func recognize(_ header: FrameHeader, in bytes: Span<UInt8>, at offset: Int) -> Recognition {
    guard header.opcode == .text, header.isFinal, (prefix.count...maxBytes).contains(header.payloadLength) else {
      return .other
    }
    let start = offset + header.headerLength
    let key = header.maskKey ?? .zero
    for index in 0..<min(prefix.count, bytes.count - start)
    where bytes[start + index] ^ key.byte(at: index) != prefix[index] { return .other }
    let end = start + header.payloadLength
    return end <= bytes.count ? .token(TokenMessage(payload: start..<end, maskKey: key)) : .undecided
  }

  private static let prefix = Array(#"{"type":"edge.token""#.utf8)
}
