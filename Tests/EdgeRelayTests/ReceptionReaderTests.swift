import EdgeCore
import EdgeRelay
import EdgeWebSocket
import Testing

@Suite struct `A client that no worker has yet` {
  @Test func `brings its token in its first message, after whatever control frames, however they are split`() {
    let message = #"{"type":"edge.token","data":{"token":"a.b.c"}}"#
    for piece in [1, 2, 3, 7, 1000] {
      let steps = read(masked(10) + masked(9, [7]) + text(message), inPiecesOf: piece)
      #expect(steps.map(\.word) == ["skip", "ping", "token \(message)"])
    }
  }

  @Test(arguments: [
    text("hello"), masked(2, utf8(#"{"type":"edge.token""#)), masked(1, utf8(#"{"type":"edge.token""#), fin: false),
    text(#"{"type":"edge.token""# + String(repeating: " ", count: TokenMessage.maxBytes)),
  ])
  func `may say nothing else first`(frame: [UInt8]) {
    #expect(read(frame).map(\.word) == ["other"])
  }

  @Test func `is told of a broken frame, and of too many control frames`() {
    #expect(read(plain(1, [1])).map(\.word) == ["failed 1002"])
    #expect(read(masked(0)).map(\.word) == ["failed 1002"])
    #expect(read([UInt8]((0..<600).flatMap { _ in masked(9) })).map(\.word).suffix(1) == ["failed 1008"])
  }

  @Test func `is heard no more once a Close is on its way, but for its own`() {
    let talk = text("hello") + masked(2, [UInt8](repeating: 1, count: 20_000)) + masked(9) + masked(8, closing(4401))
    for piece in [1, 100, 100_000] {
      let words = read(talk, inPiecesOf: piece, closing: true).map(\.word)
      #expect(words.dropLast().allSatisfy { $0 == "skip" })
      #expect(words.last == "close 4401")
    }
  }
}

/// Everything that the reader makes of `bytes`, which come in pieces.
private func read(_ bytes: [UInt8], inPiecesOf size: Int = 100_000, closing: Bool = false) -> [(
  step: ReceptionStep, word: String
)] {
  var reader = ReceptionReader()
  if closing { reader.beganClosing() }
  var steps: [(step: ReceptionStep, word: String)] = []
  var held: [UInt8] = []
  for start in stride(from: 0, to: bytes.count, by: size) {
    held += bytes[start..<min(start + size, bytes.count)]
    var offset = 0
    reading: while offset < held.count {
      let step = reader.next(held.span, at: offset, now: Instant(nanoseconds: 1))
      switch step {
      case .keep: break reading
      case .skip(let end):
        steps.append((step, "skip"))
        offset = end
      case .ping(_, let end):
        steps.append((step, "ping"))
        offset = end
      case .token(let message, end: _):
        return steps + [(step, "token " + String(decoding: message.text(in: held.span), as: UTF8.self))]
      case .otherMessage: return steps + [(step, "other")]
      case .close(let code, end: _): return steps + [(step, "close \(code)")]
      case .failed(let code, reason: _): return steps + [(step, "failed \(code)")]
      }
    }
    held.removeFirst(offset)
  }
  return steps
}
