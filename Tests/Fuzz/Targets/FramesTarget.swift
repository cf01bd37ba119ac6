import EdgeCore
import EdgeRelay
import EdgeWebSocket

/// The frames of one side of a WebSocket (RFC 6455 §5), as the edge and the endpoints of this package read them.
///
/// The first byte of the input chooses the side and the limits; the rest is what the side sends.
func fuzzFrames(_ input: [UInt8]) throws(BrokenClaim) {
  guard let choice = input.first else { return }
  let sender: FrameSender = choice & 1 == 0 ? .client : .worker
  let maxMessageBytes = choice & 2 == 0 ? 200 : 1 << 20
  let bytes = Array(input.dropFirst())

  let whole = Heard(from: sender, maxMessageBytes: maxMessageBytes, in: [bytes])
  try claim("cuts change nothing", Heard(from: sender, maxMessageBytes: maxMessageBytes, in: pieces(of: bytes)), equals: whole)
  let reference = ReferenceReading(from: sender, maxMessageBytes: maxMessageBytes, of: bytes)
  try claim("a plain reading of RFC 6455 says the same", whole.events, equals: reference.events)
  try claim("a plain reading of RFC 6455 fails alike", whole.error?.closeCode.rawValue, equals: reference.failure)
  try claimSameAgain(whole, from: sender)

  let passed = try Passage(of: bytes, from: sender, maxMessageBytes: maxMessageBytes)
  try claim("what may pass is what an endpoint hears", passed.payloadBytes, equals: whole.payloadBytes)
  try claim("relay and endpoint refuse alike", passed.error, equals: whole.error)
  guard sender == .client else { return }
  try claim("cuts change nothing at the reception", Reception(pieces(of: bytes)), equals: Reception([bytes]))
}

/// What an endpoint hears.
private struct Heard: Equatable {
  private(set) var events: [WebSocketEvent] = []
  private(set) var error: FrameError?

  var payloadBytes: [Int] {
    events.compactMap { event in
      if case .message(_, let payload) = event { payload.count } else { nil }
    }
  }

  init(from sender: FrameSender, maxMessageBytes: Int, in pieces: [[UInt8]]) {
    var reader = MessageReader(sender: sender, maxMessageBytes: maxMessageBytes)
    do throws(FrameError) {
      for piece in pieces { try reader.receive(piece.span) { events.append($0) } }
    } catch {
      self.error = error
    }
  }
}

private func claimSameAgain(_ heard: Heard, from sender: FrameSender) throws(BrokenClaim) {
  let key = sender == .client ? MaskKey(0xA5, 0, 0xFF, 3) : nil
  var bytes: [UInt8] = []
  for event in heard.events {
    switch event {
    case .message(let kind, let payload): FrameWriter.appendMessage(kind, payload.span, maskKey: key, into: &bytes)
    case .ping(let payload): FrameWriter.appendPing(payload, maskKey: key, into: &bytes)
    case .pong(let payload): FrameWriter.appendPong(payload, maskKey: key, into: &bytes)
    case .close(let code, let reason): FrameWriter.appendClose(code, reason: reason, maskKey: key, into: &bytes)
    }
  }
  let again = Heard(from: sender, maxMessageBytes: 1 << 20, in: [bytes])
  try claim("what was heard is heard again once it is written", again.events, equals: heard.events)
}

/// The messages that a relay lets pass, by the steps that it takes.
private struct Passage {
  private(set) var payloadBytes: [Int] = []
  private(set) var error: FrameError?

  init(of bytes: [UInt8], from sender: FrameSender, maxMessageBytes: Int) throws(BrokenClaim) {
    var reader = FrameReader(sender: sender, maxMessageBytes: maxMessageBytes, checksUTF8: true)
    var offset = 0
    var messageBytes = 0
    do {
      reading: while true {
        let atOnce = reader.wholeMessage(in: bytes.span, at: offset)
        let header = reader.header(in: bytes.span, at: offset)
        switch try reader.next(bytes.span, at: offset) {
        case .needMore:
          try claim("what waits for more is bounded", bytes.count - offset <= FrameReader.maxKeptBytes)
          break reading
        case .afterClose: break reading
        case .data(let taken, let startsMessage, let end):
          try claim("a header that is looked at is the one that is taken", header, equals: taken)
          messageBytes = (startsMessage ? 0 : messageBytes) + taken.payloadLength
          try claim("an announced message is within its limit", messageBytes <= maxMessageBytes)
          if let atOnce {
            // The fast way must say what the two steps of the other say.
            let step = try reader.next(bytes.span, at: end)
            try claim("a whole message is one", step, equals: .payload(end: atOnce.end, endsFrame: true, endsMessage: true))
            try claim("a whole message is of its frame's kind", atOnce.kind, equals: taken.messageKind)
            payloadBytes.append(atOnce.payloadBytes)
            offset = atOnce.end
          } else {
            offset = end
          }
        case .payload(let end, endsFrame: _, let endsMessage):
          if endsMessage { payloadBytes.append(messageBytes) }
          offset = end
        case .ping(_, let end), .pong(_, let end), .close(_, reason: _, let end):
          offset = end
        }
      }
    } catch let broken as BrokenClaim {
      throw broken
    } catch {
      self.error = error as? FrameError
    }
  }
}

/// What the edge makes of a client that no worker has yet; runs of skipped bytes count as one.
private struct Reception: Equatable {
  private(set) var steps: [ReceptionStep] = []
  private(set) var texts: [[UInt8]] = []
  private(set) var skipped = 0

  init(_ pieces: [[UInt8]]) {
    var reader = ReceptionReader()
    var kept: [UInt8] = []
    for piece in pieces {
      let bytes = kept + piece
      var offset = 0
      reading: while offset < bytes.count {
        switch reader.next(bytes.span, at: offset, now: Instant(nanoseconds: 1)) {
        case .keep: break reading
        case .skip(let end):
          skipped += end - offset
          offset = end
        case .token(let message, let end):
          texts.append(message.text(in: bytes.span))
          offset = end
        case .ping(let body, let end):
          texts.append(ControlPayload(body, in: bytes.span).withBytes { payload in payload.indices.map { payload[$0] } })
          offset = end
        case .close(let code, let end):
          steps.append(.close(code, end: 0))
          offset = end
        case .otherMessage:
          steps.append(.otherMessage)
          return
        case .failed(let code, let reason):
          steps.append(.failed(code, reason: reason))
          return
        }
      }
      kept = Array(bytes[offset...])
    }
  }
}
