import EdgeCore
import EdgeRelay
import EdgeWebSocket
import Testing

@Suite struct `Whatever happens` {
  @Test(arguments: 0..<1500)
  func `each side gets whole frames up to one Close, and the connection ends`(_ seed: Int) {
    var random = SplitMix64(state: UInt64(seed))
    let talk = Talk(.tight)
    for event in randomEvents(using: &random) {
      let before = (client: talk.toClient.count, worker: talk.toWorker.count)
      let (clientWasFinished, workerWasFinished) = (talk.isClientFinished, talk.isWorkerFinished)
      talk.happens(event)
      if clientWasFinished { #expect(talk.isClientFinished && talk.toClient.count == before.client, "seed \(seed)") }
      if workerWasFinished { #expect(talk.isWorkerFinished && talk.toWorker.count == before.worker, "seed \(seed)") }
    }
    check(talk, seed)

    talk.happens(.edgeCloses(.goingAway, "test_over"))
    talk.happens(.wait(RelayLimits.tight.closeTimeout))
    #expect(talk.ending != nil && talk.isClientFinished && talk.isWorkerFinished, "seed \(seed)")
    check(talk, seed)
  }

  /// The relay's own reader has seen the bytes come in; readers of the tests' own see what went out.
  private func check(_ talk: Talk, _ seed: Int) {
    let worker = Reading(talk.toWorker, from: .client)
    #expect(worker.error == nil && worker.bytesAfterClose == 0, "seed \(seed)")
    #expect(worker.messages == talk.messagesFromClient.map(\.payloadBytes), "seed \(seed)")
    let client = Reading(talk.toClient, from: .worker)
    #expect(client.error == nil && client.bytesAfterClose == 0, "seed \(seed)")
    #expect(client.messages == talk.messagesFromWorker.map(\.payloadBytes), "seed \(seed)")
    #expect(client.pings.isSuperset(of: talk.nonces), "seed \(seed)")
  }
}

@Suite struct `However the bytes are cut` {
  @Test(arguments: 0..<300)
  func `what arrives is what arrives uncut`(_ seed: Int) {
    var random = SplitMix64(state: UInt64(seed))
    let fromClient = randomStream(masked, using: &random)
    let fromWorker = randomStream(plain, using: &random)
    let whole = Talk(after: [.client(fromClient), .worker(fromWorker)])
    let cut = Talk(
      after: randomPieces(fromClient, using: &random).map(Event.client)
        + randomPieces(fromWorker, using: &random).map(Event.worker))
    #expect(cut.toWorker == whole.toWorker && cut.toClient == whole.toClient)
    #expect(cut.messagesFromClient == whole.messagesFromClient && cut.messagesFromWorker == whole.messagesFromWorker)
    #expect(cut.ending == whole.ending)
  }
}

/// What a reader made of all that one side got.
private struct Reading {
  private(set) var messages: [Int] = []
  private(set) var pings: Set<UInt64> = []
  private(set) var error: FrameError?
  private(set) var bytesAfterClose = 0

  init(_ bytes: [UInt8], from sender: FrameSender) {
    var reader = FrameReader(sender: sender, maxMessageBytes: RelayLimits.tight.maxMessageBytes, checksUTF8: true)
    var offset = 0
    var messageBytes = 0
    do {
      reading: while true {
        switch try reader.next(bytes.span, at: offset) {
        case .needMore: break reading
        case .afterClose:
          bytesAfterClose = bytes.count - offset
          break reading
        case .data(let header, let startsMessage, let end):
          messageBytes = (startsMessage ? 0 : messageBytes) + header.payloadLength
          offset = end
        case .payload(let end, endsFrame: _, let endsMessage):
          if endsMessage { messages.append(messageBytes) }
          offset = end
        case .ping(let body, let end):
          if body.range.count == 8 { pings.insert(bytes[body.range].reduce(0) { $0 << 8 | UInt64($1) }) }
          offset = end
        case .pong(_, let end), .close(_, reason: _, let end): offset = end
        }
      }
    } catch {
      self.error = error
    }
  }
}

extension RelayLimits {
  /// Limits that random peers do reach.
  fileprivate static let tight = RelayLimits(
    maxMessageBytes: 600, checksUTF8: true, pingInterval: .seconds(3), pingTimeout: .seconds(2), idleTimeout: .seconds(30),
    closeTimeout: .seconds(5))
}

// MARK: Random peers

private typealias FrameBuilder = (_ opcode: UInt8, _ payload: [UInt8], _ fin: Bool) -> [UInt8]

private func randomEvents(using random: inout SplitMix64) -> [Event] {
  var client = randomPieces(randomStream(masked, withFaults: true, using: &random), using: &random)[...]
  var worker = randomPieces(randomStream(plain, withFaults: true, using: &random), using: &random)[...]
  var events: [Event] = []
  while !client.isEmpty || !worker.isEmpty {
    switch Int.random(in: 0..<60, using: &random) {
    case 0: events.append(.clientEnds)
    case 1: events.append(.workerEnds)
    case 2: events.append(.edgeCloses(.forbidden, "kicked"))
    case 3: events.append(.clientIsPaused)
    case 4: events.append(.clientIsResumed)
    case 5: events.append(.clientFallsBehind)
    case 6: events.append(.clientCatchesUp)
    case 7..<12: events.append(.wait(.milliseconds(Int.random(in: 0...4000, using: &random))))
    case 12..<36: if let piece = client.popFirst() { events.append(.client(piece)) }
    default: if let piece = worker.popFirst() { events.append(.worker(piece)) }
    }
  }
  return events
}

/// The frames of one side: messages, whole or in parts, control frames between them, at times a Close or nonsense.
private func randomStream(_ frame: FrameBuilder, withFaults: Bool = false, using random: inout SplitMix64) -> [UInt8] {
  var stream: [UInt8] = []
  for _ in 0..<Int.random(in: 0...12, using: &random) {
    let isText = Bool.random(using: &random)
    let pieces = (0..<Int.random(in: 1...3, using: &random)).map { _ in
      isText ? utf8(["", "a", "grüße", "日本", "🙂"].randomElement(using: &random) ?? "") : randomPayload(using: &random)
    }
    for (place, piece) in pieces.enumerated() {
      stream += frame(place > 0 ? 0 : isText ? 1 : 2, piece, place == pieces.count - 1)
      if Int.random(in: 0..<4, using: &random) == 0 {
        stream += frame(Bool.random(using: &random) ? 9 : 10, Array(piece.prefix(125)), true)
      }
    }
    guard withFaults else { continue }
    switch Int.random(in: 0..<24, using: &random) {
    case 0: stream += frame(8, closing(1000, "done"), true)
    case 1: stream += frame(1, [0x61, 0xC3, 0x28, 0x61], true)
    case 2: stream += frame(2, [UInt8](repeating: 0, count: 601), true)
    case 3: stream += (0..<5).map { _ in UInt8.random(in: 0...255, using: &random) }
    default: break
    }
  }
  return stream
}

private func randomPayload(using random: inout SplitMix64) -> [UInt8] {
  (0..<Int.random(in: 0...190, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
}

private func randomPieces(_ bytes: [UInt8], using random: inout SplitMix64) -> [[UInt8]] {
  let most = Int.random(in: 1...200, using: &random)
  var pieces: [[UInt8]] = []
  var rest = bytes[...]
  while !rest.isEmpty {
    let count = Int.random(in: 1...most, using: &random)
    pieces.append(Array(rest.prefix(count)))
    rest = rest.dropFirst(count)
  }
  return pieces
}

/// A small generator with a fixed seed, so that a failure can be repeated.
private struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
