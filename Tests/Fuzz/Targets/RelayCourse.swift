import EdgeCore
import EdgePolicy
import EdgeRelay
import EdgeWebSocket

/// A relay between two peers that do what a script says; it carries out every step at once, as the edge does when nobody is slow.
final class RelayCourse {
  private var relay: Relay
  private let messageRate: GCRA?
  private let begin = Instant(nanoseconds: 1_000_000_000)
  private var now: Instant
  private var keptFromClient: [UInt8] = []
  private var keptFromWorker: [UInt8] = []
  /// Every byte that went to a side, the edge's own frames among them.
  private(set) var toClient: [UInt8] = []
  private(set) var toWorker: [UInt8] = []
  /// How long the messages were that went to a side as whole ones.
  private(set) var passedToClient: [Int] = []
  private(set) var passedToWorker: [Int] = []
  private var clientIsRefused = false
  private var clientHasFailed = false
  private var workerHasFailed = false
  /// What the edge's pings bore.
  private(set) var nonces: [UInt64] = []

  /// - Parameter choice: which limits hold.
  init(_ choice: UInt8) {
    now = begin
    messageRate = choice & 0x10 == 0 ? nil : GCRA(units: 4, per: .seconds(1), burst: 6)
    let limit = messageRate.map { MeteredLimit(rate: $0, over: action(choice >> 5), closeAfter: .seconds(3)) }
    let scope = MeteredScope(.connection, limits: MessageLimits(messages: limit), state: SharedMeter())
    relay = Relay(Shared(.chosen(by: choice)), scopes: [scope], now: now)
    if choice & 4 != 0 { relay.tokenEnds(at: now + .seconds(20), warning: now + .seconds(8)) }
  }

  var isClientFinished: Bool { relay.isClientFinished }
  var isWorkerFinished: Bool { relay.isWorkerFinished }
  var hasEnding: Bool { relay.ending != nil }

  /// How many messages the limit allows from the beginning till now.
  var allowedMessages: Int {
    guard let messageRate else { return .max }
    return Int(messageRate.burst + messageRate.units * UInt64((now - begin) / .seconds(1)) + messageRate.units)
  }

  /// Does what the byte `event` of the script stands for, and takes what belongs to it.
  func happens(_ event: UInt8, _ script: inout Script) throws(BrokenClaim) {
    switch event & 15 {
    case 0: try receivedFromClient(script.bytes())
    case 1: try receivedFromWorker(script.bytes())
    case 2: try receivedFromClient(frame(&script, maskKey: MaskKey(event, 0, 0xFF, 7)))
    case 3: try receivedFromWorker(frame(&script, maskKey: nil))
    case 4: try pass(until: now + .milliseconds(Int(script.byte() ?? 0) * 40))
    case 5: relay.clientEnded(now: now)
    case 6: relay.workerEnded(now: now)
    case 7: relay.close(.forbidden, reason: "kicked", now: now)
    case 8: relay.pausedClientReading()
    case 9: relay.resumedClientReading(now: now)
    case 10: relay.clientFellBehind()
    case 11: relay.clientCaughtUp(now: now)
    case 12: relay.setLimits(rule(script.byte() ?? 0), of: .rule, now: now)
    case 13: relay.tell(event & 0x10 == 0 ? .expiring(in: .seconds(9)) : .refused(word: "token_expired"))
    case 14: relay.tokenEnds(at: now + .seconds(5), warning: now + .seconds(2))
    default: try receivedFromClient(tokenFrame(script.bytes()))
    }
    try settle()
  }

  /// The edge ends the connection, and its peers are given the time that they have for that.
  func close() throws(BrokenClaim) {
    relay.close(.goingAway, reason: "test_over", now: now)
    try settle()
    try pass(until: now + RelayLimits.chosen(by: 0).closeTimeout)
    try settle()
  }

  // MARK: Bytes

  private func receivedFromClient(_ bytes: [UInt8]) throws(BrokenClaim) {
    guard !relay.isClientFinished else { return }
    let input = keptFromClient + bytes
    var offset = 0
    reading: while offset < input.count, relay.clientWaitsUntil == nil {
      let start = offset
      switch relay.nextFromClient(input.span, at: offset, now: now) {
      case .pass(let end, let message):
        try claim("a step goes on, within the bytes", (start...input.count).contains(end))
        toWorker += input[start..<end]
        if let message { passedToWorker.append(message.payloadBytes) }
        offset = end
      case .skip(let end), .drop(let end, _):
        try claim("a step goes on, within the bytes", (start...input.count).contains(end))
        offset = end
      case .token(let message, let end):
        try claim("a token is one", message.text(in: input.span).starts(with: tokenBeginning))
        offset = end
      case .refused:
        try claim("a client is refused once", !clientIsRefused)
        clientIsRefused = true
      case .failed:
        try claim("a client breaks the protocol once", !clientHasFailed)
        clientHasFailed = true
      case .wait: try claim("who waits knows for how long", relay.clientWaitsUntil != nil)
      case .keep:
        try claim("what is kept is bounded", input.count - offset < TokenMessage.maxBytes + FrameReader.maxKeptBytes)
        break reading
      }
    }
    keptFromClient = Array(input[offset...])
  }

  private func receivedFromWorker(_ bytes: [UInt8]) throws(BrokenClaim) {
    guard !relay.isWorkerFinished else { return }
    let input = keptFromWorker + bytes
    var offset = 0
    reading: while offset < input.count {
      let start = offset
      switch relay.nextFromWorker(input.span, at: offset, now: now) {
      case .pass(let end, let message):
        try claim("a step goes on, within the bytes", (start...input.count).contains(end))
        toClient += input[start..<end]
        if let message { passedToClient.append(message.payloadBytes) }
        offset = end
      case .skip(let end):
        try claim("a step goes on, within the bytes", (start...input.count).contains(end))
        offset = end
      case .failed:
        try claim("a worker breaks the protocol once", !workerHasFailed)
        workerHasFailed = true
      case .keep:
        try claim("what is kept is bounded", input.count - offset <= FrameReader.maxKeptBytes)
        break reading
      case .wait, .drop, .token, .refused: throw BrokenClaim(claim: "no limit holds a worker's messages")
      }
    }
    keptFromWorker = Array(input[offset...])
  }

  /// Notices and Close frames that are due.
  private func settle() throws(BrokenClaim) {
    while let text = relay.takeNoticeForClient(now: now) {
      FrameWriter.appendMessage(.text, text.span, into: &toClient)
      passedToClient.append(text.count)
    }
    if let close = relay.takeCloseForClient() {
      FrameWriter.appendClose(close.code, reason: close.reason, into: &toClient)
    }
    if let close = relay.takeCloseForWorker() {
      FrameWriter.appendClose(close.code, reason: close.reason, maskKey: MaskKey(5, 6, 7, 8), into: &toWorker)
    }
    try claim("a Close is due once", relay.takeCloseForClient() == nil && relay.takeCloseForWorker() == nil)
  }

  // MARK: Time

  /// The timer fires when the relay has asked for it.
  private func pass(until end: Instant) throws(BrokenClaim) {
    var turns = 0
    while relay.nextDeadline <= end, !(relay.isClientFinished && relay.isWorkerFinished) {
      now = max(now, relay.nextDeadline)
      switch relay.timePassed(now: now, nonce: UInt64(nonces.count)) {
      case .nothing: break
      case .pingClient(let nonce):
        nonces.append(nonce)
        FrameWriter.appendPing(ControlPayload(nonce: nonce), into: &toClient)
      case .resumeClient: try receivedFromClient([])
      }
      try settle()
      turns += 1
      try claim("a timer does not fire for nothing", turns < 1000)
    }
    now = max(now, end)
  }
}

extension RelayLimits {
  /// Short times and small messages, which scripts reach.
  fileprivate static func chosen(by choice: UInt8) -> RelayLimits {
    RelayLimits(
      maxMessageBytes: 300, checksUTF8: true, pingInterval: .seconds(3), pingTimeout: .seconds(2), idleTimeout: .seconds(30),
      closeTimeout: .seconds(5), takesTokens: choice & 1 != 0, givesNotice: choice & 2 != 0)
  }
}

private func action(_ choice: UInt8) -> LimitAction {
  LimitAction.allCases[Int(choice) % LimitAction.allCases.count]
}

/// Limits that an operator may set at any time; none for 0.
private func rule(_ choice: UInt8) -> MessageLimits? {
  guard choice > 0, let rate = GCRA(units: UInt64(choice), per: .seconds(1), burst: 100) else { return nil }
  return MessageLimits(bytes: MeteredLimit(rate: rate, over: action(choice)))
}

/// A frame of the script's: its first byte as it is, and a payload with its true length.
private func frame(_ script: inout Script, maskKey: MaskKey?) -> [UInt8] {
  var bytes: [UInt8] = []
  let first = script.byte() ?? 0
  FrameWriter.appendFrame(.binary, script.bytes().span, maskKey: maskKey, into: &bytes)
  bytes[0] = first
  return bytes
}

private func tokenFrame(_ rest: [UInt8]) -> [UInt8] {
  var bytes: [UInt8] = []
  FrameWriter.appendMessage(.text, (tokenBeginning + rest).span, maskKey: .zero, into: &bytes)
  return bytes
}

private let tokenBeginning = Array(#"{"type":"edge.token""#.utf8)
