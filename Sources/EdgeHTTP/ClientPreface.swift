/// What a client of HTTP/2 says first (RFC 9113 §3.4): no request of HTTP/1.1 begins like it.
public enum ClientPreface {
  /// How the bytes of a client begin.
  public enum Match: Hashable, Sendable {
    /// With something else.
    case none
    /// With part of the preface, as far as they go.
    case part
    /// With the whole of it.
    case whole
  }

  /// Compares the first bytes of a connection.
  public static func match(_ bytes: Span<UInt8>) -> Match {
    let count = min(bytes.count, text.count)
    for index in 0..<count where bytes[index] != text[index] { return .none }
    return count == text.count ? .whole : .part
  }

  private static let text = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
}
