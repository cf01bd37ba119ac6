import EdgeCore
import EdgeHTTP
import EdgeHTTP2

/// One connection of HTTP/2: frames that a client may send, in any order, with answers, resets and windows of the edge between them.
///
/// The input is a script (`HTTP2Course.happens`). What the client sends comes at once, and then again in pieces.
func fuzzHTTP2(_ input: [UInt8]) throws(BrokenClaim) {
  let whole = try course(of: input) { [$0] }
  let cut = try course(of: input) { pieces(of: $0) }
  try claim("cuts change nothing of what is told", cut.events, equals: whole.events)
  let frames = try SentFrame.all(in: whole.output)
  try claim("cuts change nothing of what is sent", try SentFrame.all(in: cut.output), equals: frames)
  try claimInOrder(whole.events)
  try claimInOrder(frames)
}

/// What came of a script, the end of the connection included.
private func course(of input: [UInt8], cut: @escaping ([UInt8]) -> [[UInt8]]) throws(BrokenClaim) -> HTTP2Course {
  guard let course = try? HTTP2Course(cut: cut) else { throw BrokenClaim(claim: "there is memory for a session") }
  var script = Script(input)
  while let event = script.byte() { try course.happens(event, &script) }
  try course.end()
  return course
}

/// A stream has one head, then a body, then an end; and a request means to a worker what it means to the edge.
private func claimInOrder(_ events: [HTTP2Course.Event]) throws(BrokenClaim) {
  enum State { case body, ended, closed }
  var streams: [StreamNumber: State] = [:]
  for event in events {
    switch event {
    case .head(let head, let stream, let isWhole):
      try claim("a stream begins once, and has a client's number", streams[stream] == nil && stream % 2 == 1)
      streams[stream] = isWhole ? .ended : .body
      if isWhole { try claim("a stream that has ended has no body", [.none, .length(0)].contains(head.bodyFraming)) }
      try claimOnePath(head.target)
      try claimNothingSmuggled(from: head)
    case .badHead(_, let stream, let isWhole):
      try claim("a stream begins once, and has a client's number", streams[stream] == nil && stream % 2 == 1)
      streams[stream] = isWhole ? .ended : .body
    case .data(_, let stream): try claim("data comes within a body", streams[stream] == .body)
    case .end(let stream), .badTrailers(_, let stream):
      try claim("a body ends once", streams[stream] == .body)
      streams[stream] = .ended
    case .closed(let stream):
      try claim("a stream closes once", streams[stream] != .closed)
      streams[stream] = .closed
    case .flooded: break
    }
    let open = streams.count { $0.value != .closed }
    try claim("no more streams are open than were allowed", open <= HTTP2Limits.maxStreams)
  }
}

/// On each stream a client gets a head, then a body, then nothing (RFC 9113 §8.1).
private func claimInOrder(_ frames: [SentFrame]) throws(BrokenClaim) {
  enum State { case body, ended }
  var streams: [UInt32: State] = [:]
  for frame in frames {
    let state = streams[frame.stream]
    switch frame.type {
    case 0: try claim("data comes behind a head", state == .body)
    case 1: try claim("a head comes before an end", state != .ended)
    case 5: throw BrokenClaim(claim: "a server sends no PUSH_PROMISE")
    default: break
    }
    if frame.type < 2 { streams[frame.stream] = frame.flags & 1 != 0 ? .ended : .body }
    if frame.type == 3 { streams[frame.stream] = .ended }
  }
}

private struct SentFrame: Equatable {
  let type: UInt8
  let flags: UInt8
  let stream: UInt32
  let payload: [UInt8]

  /// Reads frames; why GOAWAY says that the connection ends is left out, for the library finds one reason or another by how the
  /// bytes were cut.
  static func all(in output: [UInt8]) throws(BrokenClaim) -> [SentFrame] {
    var frames: [SentFrame] = []
    var rest = output[...]
    while !rest.isEmpty {
      let head = Array(rest.prefix(9))
      try claim("frames are whole", head.count == 9)
      let length = head[..<3].reduce(0) { $0 << 8 | Int($1) }
      let payload = rest.dropFirst(9).prefix(length)
      try claim("frames are whole", payload.count == length)
      rest = rest[payload.endIndex...]
      let stream = head[5...].reduce(0) { $0 << 8 | UInt32($1) }
      let told = head[3] == goAway ? payload.prefix(4) : payload
      frames.append(SentFrame(type: head[3], flags: head[4], stream: stream, payload: Array(told)))
    }
    return frames
  }
}

private let goAway: UInt8 = 7
