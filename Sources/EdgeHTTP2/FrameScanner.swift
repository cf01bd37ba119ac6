/// Finds the frames in what a client sends, so that each is judged, whether or not the library tells of it: what it skips, such as
/// data on a stream that is gone, costs nothing to send either.
struct FrameScanner {
  /// What has come of a frame's beginning.
  private var start = FrameStart.Bytes(repeating: 0)
  private var startCount = 0
  /// What is to be passed over before the next frame: the client's preface, then payloads.
  private var bytesToSkip = clientPrefaceBytes

  /// The next frame whose beginning ends in `bytes`; nil where none does any more.
  ///
  /// - Parameter offset: where to go on; moved to where the next call does.
  mutating func next(in bytes: Span<UInt8>, from offset: inout Int) -> FrameStart? {
    let skipped = min(bytesToSkip, bytes.count - offset)
    bytesToSkip -= skipped
    offset += skipped
    guard offset < bytes.count, gather(FrameStart.headBytes, of: bytes, from: &offset) else { return nil }
    var frame = FrameStart(start)
    if frame.byteCount > FrameStart.headBytes {
      guard gather(frame.byteCount, of: bytes, from: &offset) else { return nil }
      frame = FrameStart(start)
    }
    startCount = 0
    bytesToSkip = FrameStart.headBytes + frame.length - frame.byteCount
    return frame
  }

  /// - Returns: whether the first `count` bytes of a frame are there.
  private mutating func gather(_ count: Int, of bytes: Span<UInt8>, from offset: inout Int) -> Bool {
    while startCount < count {
      guard offset < bytes.count else { return false }
      start[startCount] = bytes[offset]
      startCount += 1
      offset += 1
    }
    return true
  }
}

/// `PRI * HTTP/2.0`, `SM` and their line ends (RFC 9113 §3.4).
private let clientPrefaceBytes = 24
