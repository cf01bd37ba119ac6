/// What lies at the offset given to `BodyDecoder.next`.
public enum BodyStep: Hashable, Sendable {
  /// Bytes of the body, in place; go on at the range's upper bound.
  case data(Range<Int>)
  /// The body ends before this position; what follows belongs to the next message.
  case end(at: Int)
  /// All bytes were taken; more must come.
  case needMore
}

/// Finds a body's data among the bytes that carry it, in place, for either direction (RFC 9112 §6, §7.1).
///
/// ```swift
/// var offset = 0
/// reading: while true {
///   switch try decoder.next(bytes, at: offset) {
///   case .data(let range): forward(bytes.extracting(range)); offset = range.upperBound
///   case .end(let position): return position
///   case .needMore: break reading
///   }
/// }
/// ```
/// Chunk extensions are dropped and bounded; trailers are checked, bounded and dropped.
public struct BodyDecoder: ~Copyable, Sendable {
  private var state: BodyState

  /// Makes a decoder for one body.
  public init(_ framing: BodyFraming) {
    switch framing {
    case .none, .length(0): state = .ended
    case .length(let length): state = .data(.length(left: length))
    case .chunked: state = .framing(ChunkFraming())
    case .untilClose: state = .data(.untilClose)
    }
  }

  /// Whether the end of the body has been seen.
  public var isComplete: Bool {
    switch state {
    case .ended: true
    case .data: false
    case .framing: false
    case .trailers: false
    case .failed: false
    }
  }

  /// Takes what lies at `offset`.
  ///
  /// - Parameters:
  ///   - bytes: bytes as they came. None is kept: framing that is split between calls is remembered as a state.
  ///   - offset: where the last step ended; 0 for new bytes. At most `bytes.count`.
  /// - Throws: what is wrong with the chunks or trailers; later calls throw the same.
  public mutating func next(_ bytes: Span<UInt8>, at offset: Int) throws(HTTPParseError) -> BodyStep {
    precondition((0...bytes.count).contains(offset))
    var position = offset
    while true {
      if let step = try state.received(bytes, at: &position) { return step }
    }
  }

  /// Ends the input: the peer has closed.
  ///
  /// - Throws: `HTTPParseError.truncated` where the body's framing says that more had to come.
  public mutating func receivedEnd() throws(HTTPParseError) {
    try state.receivedEnd()
  }
}
