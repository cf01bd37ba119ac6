import EdgeCore
import EdgeHTTP

/// A body on its way from one connection to another: taken out of the framing it came in, put into the one it goes on with.
struct BodyPipe: ~Copyable {
  private var decoder: BodyDecoder
  private let isSentChunked: Bool
  /// The body's own bytes so far, without framing.
  private(set) var dataBytes: UInt64 = 0

  /// - Parameter isSentChunked: whether the body goes on in chunks; else its bytes go on as they are.
  init(_ framing: BodyFraming, isSentChunked: Bool) {
    decoder = BodyDecoder(framing)
    self.isSentChunked = isSentChunked
  }

  /// Whether all of the body has passed.
  var isComplete: Bool { decoder.isComplete }

  /// Takes what of the body lies at `offset`, and sends it on; what comes behind the body is left.
  ///
  /// - Returns: where the bytes begin that are not the body's.
  /// - Throws: what is wrong with the framing.
  mutating func carry(_ bytes: Span<UInt8>, from offset: Int, to send: (Span<UInt8>) -> Void) throws(HTTPParseError) -> Int {
    var position = offset
    var chunks: [UInt8] = []
    defer { if !chunks.isEmpty { send(chunks.span) } }
    while true {
      switch try decoder.next(bytes, at: position) {
      case .data(let range):
        dataBytes += UInt64(range.count)
        let data = bytes.extracting(range)
        if isSentChunked { ChunkedEncoding.appendChunk(data, into: &chunks) } else { send(data) }
        position = range.upperBound
        // A body that ends with these bytes ends now, not when the next ones come.
        if decoder.isComplete { return finish(at: position, &chunks) }
      case .end(let end):
        return finish(at: end, &chunks)
      case .needMore:
        return bytes.count
      }
    }
  }

  /// The sender's connection has ended: for a body without a length, that is its end.
  ///
  /// - Throws: `HTTPParseError.truncated` where more had to come.
  mutating func receivedEnd(_ send: (Span<UInt8>) -> Void) throws(HTTPParseError) {
    guard !decoder.isComplete else { return }
    try decoder.receivedEnd()
    guard isSentChunked else { return }
    let lastChunk = ChunkedEncoding.lastChunk
    send(lastChunk.span)
  }

  private func finish(at position: Int, _ chunks: inout [UInt8]) -> Int {
    if isSentChunked { chunks += ChunkedEncoding.lastChunk }
    return position
  }
}
