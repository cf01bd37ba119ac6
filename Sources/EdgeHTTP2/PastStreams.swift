/// The streams that were ended by the client, or passed over by it: it may say nothing more on them (RFC 9113 §5.1, §5.1.1).
///
/// The library forgets a stream with its end, and from then on takes whatever comes on it for what was on its way when the edge reset
/// it. It is right for most; those that are remembered here are none of them. Only the last few are: older ones are forgiven.
struct PastStreams {
  private var lastEnded = InlineArray<8, StreamNumber>(repeating: 0)
  private var next = 0
  private var newest: StreamNumber = 0
  /// Between these, both left out, lie the streams that were passed over last.
  private var passedOver: (after: StreamNumber, before: StreamNumber) = (0, 0)

  /// The client has ended a stream, or has reset it.
  mutating func ended(_ stream: StreamNumber) {
    for index in lastEnded.indices where lastEnded[index] == stream { return }
    lastEnded[next] = stream
    next = (next + 1) % lastEnded.count
  }

  /// Takes note of a frame.
  ///
  /// - Returns: what is wrong with it, if it is known to be for a stream that is no more.
  mutating func flaw(of frame: FrameStart) -> StreamError? {
    switch frame.role {
    case .head:
      if frame.stream > newest {
        began(frame.stream)
        return nil
      }
      return flaw(ofFrameOn: frame.stream)
    case .data: return flaw(ofFrameOn: frame.stream)
    case .reset:
      if frame.stream <= newest { ended(frame.stream) }
      return nil
    case .restOfHead, .other: return nil
    }
  }

  private mutating func began(_ stream: StreamNumber) {
    if stream > newest + 2 { passedOver = (newest, stream) }
    newest = stream
  }

  private func flaw(ofFrameOn stream: StreamNumber) -> StreamError? {
    guard stream > 0 else { return nil }
    if passedOver.after < stream, stream < passedOver.before { return .protocolError }
    for index in lastEnded.indices where lastEnded[index] == stream { return .streamClosed }
    return nil
  }
}
