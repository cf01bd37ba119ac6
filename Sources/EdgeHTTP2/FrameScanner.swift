/// Finds the frames in what a client sends, so that each is judged, whether or not the library tells of it: what it skips, such as
/// data on a stream that is gone, costs nothing to send either.
struct FrameScanner {
  private var head = InlineArray<9, UInt8>(repeating: 0)
  private var headCount = 0
  /// What is to be passed over before the next head: the client's preface, then payloads.
  private var bytesToSkip = clientPrefaceBytes

  /// The next frame whose head ends in `bytes`; nil where none does any more.
  ///
  /// - Parameter offset: where to go on; moved to where the next call does.
  mutating func next(in bytes: Span<UInt8>, from offset: inout Int) -> FrameStart? {
    let skipped = min(bytesToSkip, bytes.count - offset)
    bytesToSkip -= skipped
    offset += skipped
    while headCount < head.count {
      guard offset < bytes.count else { return nil }
      head[headCount] = bytes[offset]
      headCount += 1
      offset += 1
    }
    headCount = 0
    let frame = FrameStart(head)
    bytesToSkip = frame.length
    return frame
  }
}

/// `PRI * HTTP/2.0`, `SM` and their line ends (RFC 9113 §3.4).
private let clientPrefaceBytes = 24
