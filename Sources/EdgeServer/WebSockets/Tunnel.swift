import EdgeAdmin
import EdgeAuth
import EdgeConfig
import EdgeCore
import EdgeIO
import EdgePolicy
import EdgeRelay
import EdgeTelemetry
import EdgeWebSocket

/// A WebSocket between a client and a worker, after a checked 101: the relay's rules, carried out on two connections.
///
/// One turn's bytes are forwarded with one send. When one side is slow, reading from the other stops.
final class Tunnel {
  /// What the connection goes by: a reload may put another in its place, of the same name.
  private(set) var route: Route
  let caller: Caller
  /// How long the user's token is good for; nil where no user is known. A renewal changes it.
  private(set) var token: TokenLife?
  /// When the WebSocket was opened.
  let opened: Moment
  private let client: Client
  private let worker: WorkerLink
  /// The relay calls nobody, so no two accesses to it can overlap; to have that checked takes an echo 270 user instructions.
  @safe @exclusivity(unchecked) private var relay: Relay
  /// Whether a ping may have gone out since the client was last heard: hearing it brings the next deadline nearer.
  private var mayAwaitPong = false
  /// Whether a limit makes the client wait at this moment.
  private(set) var isThrottled = false
  private var clientStall = StallWatch()
  private var workerStall = StallWatch()
  private(set) var received = Traffic()
  private(set) var sent = Traffic()
  /// When the last message passed; the opening counts as one.
  private(set) var lastMessage: Instant
  /// What an operator has put on the connection alone.
  private(set) var throttle: Shared<OwnThrottle>?
  /// When a client that has ended its side, while a limit makes it wait, is given up.
  private var farewell = Instant.distantFuture
  /// When a drain will close this connection; nil as long as none has begun.
  private var departure: Departure?

  init(_ admission: Admission, client: Client, worker: WorkerLink) {
    route = admission.route
    caller = admission.caller
    self.client = client
    self.worker = worker
    let context = client.context
    opened = Moment(instant: context.reactor.now, wallTime: WallClock.now())
    lastMessage = opened.instant
    let scopes = context.snapshot.scopes(of: route, shared: client.meters + caller.meters)
    relay = Relay(route.relayLimits, scopes: scopes, now: opened.instant)
    worker.belong(to: self)
    if let life = admission.token { adopt(life) }
  }

  private var context: ReactorContext { client.context }

  /// The worker's socket.
  var workerPath: String { worker.worker.path }

  /// What began the end, once something has.
  var ending: RelayEnding? { relay.ending }

  /// Bytes that wait for either side.
  var waitingBytes: Int { client.waitingBytes + worker.waitingBytes }

  /// Whether the client is beyond a limit, or was a moment ago: it stays so while it waits, sends and waits again.
  var isBeyondLimit: Bool { isThrottled || relay.isBeyondLimit(at: context.reactor.now) }

  // MARK: Bytes

  /// Forwards what the client sent, from `offset` on.
  ///
  /// - Returns: where the bytes begin that belong to an incomplete header or control frame: offer them again.
  func receivedFromClient(_ bytes: Span<UInt8>, from offset: Int) -> Int {
    let now = context.reactor.now
    var batch = ForwardingBatch(start: offset)
    scan: while batch.end < bytes.count {
      switch relay.nextFromClient(bytes, at: batch.end, now: now) {
      case .pass(let end, let message):
        batch.pass(end, isWholeMessage: message != nil)
        if let message, count(message, .received, now: now) { batch.isTimed = true }
      case .skip(let end):
        forwardToWorker(bytes, &batch)
        batch.skip(end)
      case .keep:
        break scan
      case .wait(let excess):
        if let excess { waitForTurn(excess) }
        break scan
      case .drop(let end, let excess):
        forwardToWorker(bytes, &batch)
        batch.skip(end)
        context.metrics.messageDropped(route: route.index, excess)
        wentBeyond(excess)
      case .token(let message, let end):
        forwardToWorker(bytes, &batch)
        batch.skip(end)
        renewToken(message, in: bytes)
      case .refused(let excess):
        batch.mayEnd = true
        context.metrics.throttled(excess)
        wentBeyond(excess)
      case .failed(let error):
        batch.mayEnd = true
        context.metrics.protocolError(route: route.index, side: .client, error: error.index)
      }
    }
    forwardToWorker(bytes, &batch)
    sendNotices()
    if mayAwaitPong {
      mayAwaitPong = false
      client.deadlineMoved()
    }
    // Even a whole message may be what a Close for the worker has waited for.
    if batch.mayEnd || relay.isEnding { settle() }
    return batch.end
  }

  /// Forwards what the worker sent, from `offset` on; else like `receivedFromClient`.
  func receivedFromWorker(_ bytes: Span<UInt8>, from offset: Int) -> Int {
    let now = context.reactor.now
    var batch = ForwardingBatch(start: offset)
    scan: while batch.end < bytes.count {
      switch relay.nextFromWorker(bytes, at: batch.end, now: now) {
      case .pass(let end, let message):
        batch.pass(end, isWholeMessage: message != nil)
        if let message, count(message, .sent, now: now) { batch.isTimed = true }
      case .skip(let end):
        forwardToClient(bytes, &batch)
        batch.skip(end)
      case .keep:
        break scan
      case .failed(let error):
        batch.mayEnd = true
        context.metrics.protocolError(route: route.index, side: .worker, error: error.index)
      case .wait, .drop, .token, .refused: preconditionFailure("workers have no limits")
      }
    }
    forwardToClient(bytes, &batch)
    sendNotices()
    if batch.mayEnd { mayAwaitPong = true }
    if batch.mayEnd || relay.isEnding { settle() }
    return batch.end
  }

  private func forwardToWorker(_ bytes: Span<UInt8>, _ batch: inout ForwardingBatch) {
    guard batch.start < batch.end else { return }
    let isTaken = worker.send(bytes.extracting(batch.start..<batch.end))
    if !isTaken { pauseClient() }
    if batch.isTimed { timeTransit(.received, isTaken: isTaken) }
    batch.isTimed = false
    batch.start = batch.end
  }

  private func forwardToClient(_ bytes: Span<UInt8>, _ batch: inout ForwardingBatch) {
    guard batch.start < batch.end else { return }
    let isTaken = client.send(bytes.extracting(batch.start..<batch.end))
    if !isTaken { clientFellBehind() }
    if batch.isTimed { timeTransit(.sent, isTaken: isTaken) }
    batch.isTimed = false
    batch.start = batch.end
  }

  /// Records how long a message was in the edge, or begins to wait for the peer to take it.
  private func timeTransit(_ direction: MessageDirection, isTaken: Bool) {
    let received = context.reactor.now
    if isTaken {
      transited(direction, received: received)
    } else {
      context.transits.waits(direction, of: client.id, since: received)
    }
  }

  private func transited(_ direction: MessageDirection, received: Instant) {
    context.metrics.messageTransited(direction, after: MonotonicClock.now() - received)
  }

  // MARK: Limits and tokens

  /// Another configuration is in force: limits, rules and timers of the route of the same name hold from now on. Where there is none
  /// any more, the connection goes by what it has, or ends, as the configuration says.
  func adopt(_ snapshot: Snapshot) {
    let current = snapshot.route(named: route.name)
    if current == nil, snapshot.configuration.reload.closeRemoved {
      return close(CloseCode(rawValue: route.closeCodes.drain), reason: "route_removed")
    }
    route = current ?? route
    let gaveNotice = relay.givesNotice
    let scopes = snapshot.scopes(of: route, shared: client.meters + caller.meters)
    relay.adopt(route.relayLimits, scopes: scopes, now: context.reactor.now)
    if relay.givesNotice, !gaveNotice, let token { adopt(token) }
    clientStall.adopt(snapshot.stall)
    workerStall.adopt(snapshot.stall)
    endWaitIfOver()
    client.deadlineMoved()
  }

  /// Throttle rules allow this from now on; nil ends them.
  func setRule(_ limits: MessageLimits?) {
    setLimits(limits, of: .rule)
  }

  /// An operator slows the connection down, whatever rules say of it; nil ends that.
  func setThrottle(_ throttle: OwnThrottle?) {
    self.throttle = throttle.map { Shared($0) }
    setLimits(throttle?.rates.limits, of: .throttle)
    client.deadlineMoved()
  }

  private func setLimits(_ limits: MessageLimits?, of scope: LimitScope) {
    guard relay.setLimits(limits, of: scope, now: context.reactor.now) else { return }
    endWaitIfOver()
    client.deadlineMoved()
  }

  /// A limit makes the client wait: TCP tells it, since nothing is read.
  private func waitForTurn(_ excess: LimitExcess) {
    context.metrics.throttled(excess)
    wentBeyond(excess)
    context.metrics.throttledConnectionsChanged(by: isThrottled ? 0 : 1)
    isThrottled = true
    client.pauseReading()
    if client.isEnding { clientEndsWhileWaiting() }
    client.deadlineMoved()
  }

  /// The client met a limit: the first time, and after it kept within all limits for a while, that is told.
  private func wentBeyond(_ excess: LimitExcess) {
    guard relay.noteExcess(excess, now: context.reactor.now) else { return }
    context.shared.events.publish(.throttled(client, self, excess))
  }

  /// The client has ended its side, and a limit keeps what it said before from being read: there is not much time left for it.
  func clientEndsWhileWaiting() {
    farewell = min(farewell, context.reactor.now + route.relayLimits.value.closeTimeout)
    client.deadlineMoved()
  }

  private func endWaitIfOver() {
    guard isThrottled, relay.clientWaitsUntil == nil else { return }
    context.metrics.throttledConnectionsChanged(by: -1)
    isThrottled = false
    resumeClient()
  }

  /// The client is read again, unless something else still forbids it.
  private func resumeClient() {
    guard !isThrottled, worker.waitingBytes == 0 else { return }
    client.resumeReading()
  }

  /// The client brings another token.
  private func renewToken(_ message: TokenMessage, in bytes: Span<UInt8>) {
    guard let user = caller.user, let held = token else { return }
    do {
      let life = try context.gate.judge(
        renewal: message.text(in: bytes), of: user, replacing: held, route: route, context: context)
      adopt(life)
      relay.tell(.renewed(expiresIn: life.end - WallClock.now()))
    } catch {
      relay.tell(.refused(word: error.word))
    }
  }

  /// The clock on the wall was set.
  func clockStepped() {
    if let token { adopt(token) }
  }

  private func adopt(_ life: TokenLife) {
    token = life
    let now = context.reactor.now
    let left = max(.zero, life.end - WallClock.now())
    let end = now + left
    relay.tokenEnds(at: end, warning: now + max(left - tokenWarning, left / 2))
    client.deadlineMoved()
  }

  private func sendNotices() {
    guard relay.givesNotice else { return }
    while let text = relay.takeNoticeForClient(now: context.reactor.now) {
      var frame: [UInt8] = []
      FrameWriter.appendMessage(.text, text.span, into: &frame)
      if !client.send(frame.span) { clientFellBehind() }
    }
    client.deadlineMoved()
  }

  // MARK: Events

  /// The client does not take what was sent: the worker waits until it has.
  func clientFellBehind() {
    clientStall.waits(sentBytes: client.sentBytes, limits: context.snapshot.stall, now: context.reactor.now)
    relay.clientFellBehind()
    worker.pauseReading()
    client.deadlineMoved()
  }

  /// The client has taken all that waited for it.
  func clientDrained() {
    clientStall.drained()
    if let received = context.transits.drained(.sent, of: client.id) { transited(.sent, received: received) }
    relay.clientCaughtUp(now: context.reactor.now)
    worker.resumeReading()
    client.deadlineMoved()
    settle()
  }

  /// The worker has taken all that waited for it.
  func workerDrained() {
    workerStall.drained()
    if let received = context.transits.drained(.received, of: client.id) { transited(.received, received: received) }
    relay.resumedClientReading(now: context.reactor.now)
    resumeClient()
    client.deadlineMoved()
    settle()
  }

  /// The client's connection has ended.
  func clientEnded() {
    farewell = .distantFuture
    if relay.ending == nil { worker.abandon() }
    relay.clientEnded(now: context.reactor.now)
    settle()
  }

  /// The worker's connection has ended.
  func workerEnded() {
    relay.workerEnded(now: context.reactor.now)
    settle()
  }

  /// The edge ends the connection: the client gets `code` and `reason`, the worker 1001 and `reason`.
  func close(_ code: CloseCode, reason: String) {
    relay.close(code, reason: reason, now: context.reactor.now)
    settle()
  }

  /// A drain has begun: the connection is closed at its time, unless another one wants that sooner.
  func depart(_ departure: Departure) {
    guard departure.time <= self.departure?.time ?? .distantFuture else { return }
    self.departure = departure
    client.deadlineMoved()
  }

  /// A drain is taken back: who has not been sent away yet stays, unless another drain goes on.
  func stay(_ cause: Departure.Cause) {
    guard departure?.cause == cause else { return }
    departure = nil
    departIfDraining()
  }

  /// The connection has come, or its turn to go was taken back, in the middle of a drain: it goes at once.
  func departIfDraining() {
    if context.isDraining {
      depart(Departure(.edge, at: context.reactor.now))
    } else if worker.worker.sendsClientsAway {
      depart(Departure(.worker, at: context.reactor.now))
    }
  }

  // MARK: Time

  /// When `timePassed` wants to be called, at the latest.
  var nextDeadline: Instant {
    var deadline = min(relay.nextDeadline, farewell)
    if let stall = clientStall.nextDeadline { deadline = min(deadline, stall) }
    if let stall = workerStall.nextDeadline { deadline = min(deadline, stall) }
    return min(deadline, departure?.time ?? .distantFuture, throttle?.value.ends ?? .distantFuture)
  }

  /// Does what is due.
  func timePassed() {
    let now = context.reactor.now
    guard now < farewell else { return client.abort() }
    if let throttle, now >= throttle.value.ends { setThrottle(nil) }
    if clientStall.isStalled(sentBytes: client.sentBytes, now: now) {
      context.metrics.slowConsumerClosed(route: route.index)
      relay.close(CloseCode(rawValue: route.closeCodes.overload), reason: "no_progress", initiator: .client, now: now)
      clientStall.drained()
    }
    if workerStall.isStalled(sentBytes: worker.sentBytes, now: now) {
      workerStall.drained()
      worker.close()
      relay.workerEnded(now: now)
    }
    if let departure, now >= departure.time {
      self.departure = nil
      relay.close(CloseCode(rawValue: route.closeCodes.drain), reason: departure.cause.closeReason, now: now)
    }
    switch relay.timePassed(now: now, nonce: UInt64.random(in: .min ... .max)) {
    case .nothing: break
    case .pingClient(let nonce):
      mayAwaitPong = true
      var frame: [UInt8] = []
      FrameWriter.appendPing(ControlPayload(nonce: nonce), maskKey: nil, into: &frame)
      client.send(frame.span)
    case .resumeClient: endWaitIfOver()
    }
    sendNotices()
    settle()
  }

  /// - Returns: whether the message's way through the edge is timed.
  private func count(_ message: PassedMessage, _ direction: MessageDirection, now: Instant) -> Bool {
    let payloadBytes = UInt64(message.payloadBytes)
    switch direction {
    case .received:
      received.messages += 1
      received.payloadBytes += payloadBytes
    case .sent:
      sent.messages += 1
      sent.payloadBytes += payloadBytes
    }
    lastMessage = now
    return context.metrics.messageForwarded(
      route: route.index, direction: direction, type: message.isText ? .text : .binary, bytes: message.payloadBytes)
  }

  private func pauseClient() {
    workerStall.waits(sentBytes: worker.sentBytes, limits: context.snapshot.stall, now: context.reactor.now)
    relay.pausedClientReading()
    client.pauseReading()
    client.deadlineMoved()
  }

  /// Sends the Close frames that are due, and ends the connections that have nothing more to carry.
  private func settle() {
    guard relay.isEnding else { return }
    endWaitIfOver()
    if let close = relay.takeCloseForClient() {
      var frame: [UInt8] = []
      FrameWriter.appendClose(close.code, reason: close.reason, maskKey: nil, into: &frame)
      client.send(frame.span)
    }
    if let close = relay.takeCloseForWorker() {
      var frame: [UInt8] = []
      FrameWriter.appendClose(
        close.code, reason: close.reason, maskKey: MaskKey(rawValue: .random(in: .min ... .max)), into: &frame)
      worker.send(frame.span)
    }
    if relay.isWorkerFinished { worker.finish() }
    if relay.isClientFinished {
      worker.finish()
      client.finishTunnel()
    }
    client.deadlineMoved()
  }
}

/// How long before its end a client is told that its token expires: or half of the time that is left, if that is less.
private let tokenWarning = Duration.seconds(60)

/// What went one way through a connection.
struct Traffic {
  /// Whole messages.
  var messages: UInt64 = 0
  /// Their payloads, in bytes.
  var payloadBytes: UInt64 = 0
}

extension FrameError {
  /// Its place among the metrics' labels.
  fileprivate var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
