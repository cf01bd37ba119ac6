/// Holds the body of a stream to the length that its head announced (RFC 9113 §8.1.1).
public struct AnnouncedLength: Sendable {
  /// Bytes that are still due; nil where nothing was announced.
  @usableFromInline
  var left: UInt64?

  /// Makes it for a body.
  public init(_ framing: BodyFraming) {
    switch framing {
    case .length(let length): left = length
    case .none, .chunked, .untilClose: left = nil
    }
  }

  /// More of the body has come.
  ///
  /// - Throws: `HTTPParseError.contentLengthMismatch` for more than was announced.
  @inlinable
  public mutating func received(_ count: Int) throws(HTTPParseError) {
    guard let left else { return }
    guard left >= UInt64(count) else { throw .contentLengthMismatch }
    self.left = left - UInt64(count)
  }

  /// The body has ended.
  ///
  /// - Throws: `HTTPParseError.contentLengthMismatch` for less than was announced.
  @inlinable
  public func ended() throws(HTTPParseError) {
    guard left ?? 0 == 0 else { throw .contentLengthMismatch }
  }
}
