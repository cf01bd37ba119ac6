import EdgeCore
import EdgePolicy
import EdgeRelay
import EdgeWebSocket

/// What happens to a relay, one thing after the other.
enum Event {
  case client([UInt8])
  case worker([UInt8])
  case clientEnds
  case workerEnds
  case edgeCloses(CloseCode, String)
  case wait(Duration)
  case clientIsPaused
  case clientIsResumed
  case clientFallsBehind
  case clientCatchesUp
  case ruleHolds(MessageLimits?)
  case limitsChange(RelayLimits, [MeteredScope] = [])
  case tokenEnds(in: Duration, warning: Duration)
  case edgeTells(TokenNotice)
}

/// A relay between two peers that do what the events say. Carries out every step at once, as the edge does when nobody is slow.
final class Talk {
  private var relay: Relay
  private(set) var now = Instant(nanoseconds: 1_000_000_000)
  private var keptFromClient: [UInt8] = []
  private var keptFromWorker: [UInt8] = []
  /// Every byte that went to a side, the edge's own frames among them.
  private(set) var toClient: [UInt8] = []
  private(set) var toWorker: [UInt8] = []
  private(set) var messagesFromClient: [PassedMessage] = []
  private(set) var messagesFromWorker: [PassedMessage] = []
  private(set) var errors: [FrameError] = []
  /// What the edge's pings bore.
  private(set) var nonces: [UInt64] = []
  /// The limits that were met, whatever followed.
  private(set) var excesses: [LimitExcess] = []
  /// The payloads of messages for the edge itself.
  private(set) var tokens: [String] = []
  private var isClientThere = true
  private var isWorkerThere = true

  init(_ limits: RelayLimits = .relaxed, scopes: [MeteredScope] = []) {
    relay = Relay(Shared(limits), scopes: scopes, now: now)
  }

  convenience init(_ limits: RelayLimits = .relaxed, scopes: [MeteredScope] = [], after events: [Event]) {
    self.init(limits, scopes: scopes)
    for event in events { happens(event) }
  }

  var ending: RelayEnding? { relay.ending }
  var isClientFinished: Bool { relay.isClientFinished }
  var isWorkerFinished: Bool { relay.isWorkerFinished }
  var nextDeadline: Instant { relay.nextDeadline }
  var clientHeard: [Heard] { heard(in: toClient, ended: relay.isClientFinished) }
  var workerHeard: [Heard] { heard(in: toWorker, ended: relay.isWorkerFinished) }

  func happens(_ event: Event) {
    switch event {
    case .client(let bytes): received(bytes, fromClient: true)
    case .worker(let bytes): received(bytes, fromClient: false)
    case .clientEnds:
      relay.clientEnded(now: now)
      isClientThere = false
    case .workerEnds:
      relay.workerEnded(now: now)
      isWorkerThere = false
    case .edgeCloses(let code, let reason): relay.close(code, reason: reason, now: now)
    case .wait(let duration): pass(until: now + duration)
    case .clientIsPaused: relay.pausedClientReading()
    case .clientIsResumed: relay.resumedClientReading(now: now)
    case .clientFallsBehind: relay.clientFellBehind()
    case .clientCatchesUp: relay.clientCaughtUp(now: now)
    case .ruleHolds(let limits): relay.setLimits(limits, of: .rule, now: now)
    case .limitsChange(let limits, let scopes): relay.adopt(Shared(limits), scopes: scopes, now: now)
    case .tokenEnds(let end, let warning): relay.tokenEnds(at: now + end, warning: now + warning)
    case .edgeTells(let notice): relay.tell(notice)
    }
    settle()
  }

  var clientWaits: Bool { relay.clientWaitsUntil != nil }

  private func received(_ bytes: [UInt8], fromClient: Bool) {
    guard fromClient ? isClientThere && !relay.isClientFinished : isWorkerThere && !relay.isWorkerFinished else { return }
    let input = (fromClient ? keptFromClient : keptFromWorker) + bytes
    guard !fromClient || !clientWaits else {
      keptFromClient = input
      return
    }
    var rest = input[...]
    reading: while let offset = rest.indices.first {
      let step =
        fromClient
        ? relay.nextFromClient(input.span, at: offset, now: now) : relay.nextFromWorker(input.span, at: offset, now: now)
      switch step {
      case .pass(let end, let message):
        if fromClient { toWorker += input[offset..<end] } else { toClient += input[offset..<end] }
        if let message, fromClient { messagesFromClient.append(message) }
        if let message, !fromClient { messagesFromWorker.append(message) }
        rest = input[end...]
      case .skip(let end): rest = input[end...]
      case .drop(let end, let excess):
        excesses.append(excess)
        rest = input[end...]
      case .token(let message, let end):
        tokens.append(
          String(decoding: input[message.payload].enumerated().map { $1 ^ message.maskKey.byte(at: $0) }, as: UTF8.self))
        rest = input[end...]
      case .refused(let excess): excesses.append(excess)
      case .failed(let error): errors.append(error)
      case .wait(let excess):
        excesses += [excess].compactMap { $0 }
        break reading
      case .keep: break reading
      }
    }
    precondition(clientWaits || rest.count <= TokenMessage.maxBytes + FrameReader.maxKeptBytes, "asked to keep too much")
    if fromClient { keptFromClient = Array(rest) } else { keptFromWorker = Array(rest) }
  }

  /// The timer fires when the relay has asked for it.
  private func pass(until end: Instant) {
    while relay.nextDeadline <= end, !(relay.isClientFinished && relay.isWorkerFinished) {
      now = max(now, relay.nextDeadline)
      switch relay.timePassed(now: now, nonce: UInt64(nonces.count) + 0x0102_0304_0506_0708) {
      case .nothing: break
      case .pingClient(let nonce):
        nonces.append(nonce)
        FrameWriter.appendPing(ControlPayload(nonce: nonce), into: &toClient)
      case .resumeClient: received([], fromClient: true)
      }
      settle()
    }
    now = end
  }

  private func settle() {
    while let text = relay.takeNoticeForClient(now: now) { FrameWriter.appendMessage(.text, text.span, into: &toClient) }
    if let close = relay.takeCloseForClient() {
      FrameWriter.appendClose(close.code, reason: close.reason, into: &toClient)
    }
    if let close = relay.takeCloseForWorker() {
      FrameWriter.appendClose(close.code, reason: close.reason, maskKey: MaskKey(5, 6, 7, 8), into: &toWorker)
    }
    precondition(relay.takeCloseForClient() == nil && relay.takeCloseForWorker() == nil, "a Close is due once")
  }
}

extension RelayLimits {
  /// Limits that no test reaches by accident.
  static let relaxed = RelayLimits(
    maxMessageBytes: 1 << 20, checksUTF8: true, pingInterval: .seconds(25), pingTimeout: .seconds(20),
    idleTimeout: .seconds(600), closeTimeout: .seconds(5))
}

/// What one side makes of the bytes it got, unmasked; decoded here without the code under test.
enum Heard: Equatable {
  case text(String)
  case binary([UInt8])
  /// A part of a message that is not a whole one: the first, the next, or the last.
  case fragment(opcode: UInt8, [UInt8], isLast: Bool)
  case ping([UInt8])
  case pong([UInt8])
  case close(UInt16?, String)
  /// A frame lacks its end.
  case unfinished
  /// The TCP connection has ended.
  case end
}

private func heard(in stream: [UInt8], ended: Bool) -> [Heard] {
  var heard: [Heard] = []
  var bytes = stream[...]
  while !bytes.isEmpty {
    guard let frame = takeFrame(&bytes) else {
      heard.append(.unfinished)
      break
    }
    heard.append(frame)
  }
  return ended ? heard + [.end] : heard
}

private func takeFrame(_ bytes: inout ArraySlice<UInt8>) -> Heard? {
  var rest = bytes
  guard let first = rest.popFirst(), let second = rest.popFirst() else { return nil }
  var length = Int(second & 0x7F)
  let lengthBytes = length == 126 ? 2 : length == 127 ? 8 : 0
  let keyBytes = second & 0x80 == 0 ? 0 : 4
  guard rest.count >= lengthBytes + keyBytes else { return nil }
  if lengthBytes > 0 { length = rest.prefix(lengthBytes).reduce(0) { $0 << 8 | Int($1) } }
  rest = rest.dropFirst(lengthBytes)
  let key = Array(rest.prefix(keyBytes))
  rest = rest.dropFirst(keyBytes)
  guard rest.count >= length else { return nil }
  let payload = rest.prefix(length).enumerated().map { key.isEmpty ? $1 : $1 ^ key[$0 % 4] }
  bytes = rest.dropFirst(length)
  let isFinal = first & 0x80 != 0
  switch first & 0x0F {
  case 1 where isFinal: return .text(String(decoding: payload, as: UTF8.self))
  case 2 where isFinal: return .binary(payload)
  case 8:
    guard payload.count >= 2 else { return .close(nil, "") }
    return .close(UInt16(payload[0]) << 8 | UInt16(payload[1]), String(decoding: payload.dropFirst(2), as: UTF8.self))
  case 9: return .ping(payload)
  case 10: return .pong(payload)
  case let opcode: return .fragment(opcode: opcode, payload, isLast: isFinal)
  }
}

// MARK: Splits

/// The one helper for splitting: the events as they are, with every byte on its own, and with the bytes of each event cut
/// in two at each place.
func everySplit(of events: [Event]) -> [[Event]] {
  var splits = [events, events.flatMap { $0.cut { $0.map { [$0] } } }]
  for (place, event) in events.enumerated() {
    for cut in 1..<max(1, event.byteCount) {
      var pieces = events
      pieces.replaceSubrange(place...place, with: event.cut { [Array($0[..<cut]), Array($0[cut...])] })
      splits.append(pieces)
    }
  }
  return splits
}

/// A talk for every split of `events`.
func talks(_ limits: RelayLimits = .relaxed, _ events: Event...) -> [Talk] {
  everySplit(of: events).map { Talk(limits, after: $0) }
}

extension Event {
  fileprivate var byteCount: Int {
    switch self {
    case .client(let bytes), .worker(let bytes): bytes.count
    case .clientEnds, .workerEnds, .edgeCloses, .wait, .clientIsPaused, .clientIsResumed, .clientFallsBehind, .clientCatchesUp,
      .ruleHolds, .limitsChange, .tokenEnds, .edgeTells:
      0
    }
  }

  fileprivate func cut(_ pieces: ([UInt8]) -> [[UInt8]]) -> [Event] {
    switch self {
    case .client(let bytes): pieces(bytes).map(Event.client)
    case .worker(let bytes): pieces(bytes).map(Event.worker)
    case .clientEnds, .workerEnds, .edgeCloses, .wait, .clientIsPaused, .clientIsResumed, .clientFallsBehind, .clientCatchesUp,
      .ruleHolds, .limitsChange, .tokenEnds, .edgeTells:
      [self]
    }
  }
}

// MARK: Frames

/// A frame as a client sends it: masked. Any nonsense can be built.
func masked(_ opcode: UInt8, _ payload: [UInt8] = [], fin: Bool = true) -> [UInt8] {
  let key: [UInt8] = [0x11, 0x82, 0x33, 0xF4]
  return start(opcode, payload.count, fin: fin, maskBit: 0x80) + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
}

/// A frame as a worker sends it: plain.
func plain(_ opcode: UInt8, _ payload: [UInt8] = [], fin: Bool = true) -> [UInt8] {
  start(opcode, payload.count, fin: fin, maskBit: 0) + payload
}

private func start(_ opcode: UInt8, _ length: Int, fin: Bool, maskBit: UInt8) -> [UInt8] {
  let first = (fin ? 0x80 : 0) | opcode
  return length < 126
    ? [first, maskBit | UInt8(length)] : [first, maskBit | 126, UInt8(length >> 8), UInt8(truncatingIfNeeded: length)]
}

func utf8(_ text: String) -> [UInt8] { Array(text.utf8) }

/// A Close's payload.
func closing(_ code: UInt16, _ reason: String = "") -> [UInt8] {
  [UInt8(code >> 8), UInt8(truncatingIfNeeded: code)] + utf8(reason)
}
