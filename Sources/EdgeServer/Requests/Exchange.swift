import EdgeConfig
import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgeRelay
import EdgeRouting
import EdgeTLS
import EdgeTelemetry
import EdgeWebSocket

/// One HTTP request of a client, from its parsed head to the end of the response, or to the WebSocket it becomes.
///
/// The story: the gate judges; a worker is found; the request is rebuilt and sent; the worker's answer is passed on as it
/// comes. Bodies are streamed both ways, and a slow side stops reading from the other. Not one byte behind an upgrade
/// request reaches the worker before its 101 has been checked.
final class Exchange {
  let head: RequestHead
  let started: Instant
  private let client: Client
  private let context: ReactorContext
  private(set) var admission: Admission?
  /// What the edge has accepted in advance: from its 101 on the client can be answered by Close frames only.
  private(set) var pending: PendingAdmission?
  /// Who speaks with the client then, until a worker does.
  private var reception: Reception?
  private var state = State.judging
  private var search: WorkerSearch?
  private var worker: WorkerLink?
  private var upload: BodyPipe
  private var uploadWatch = StallWatch()
  private var responseParser: ResponseHeadParser
  private var interimAnswers = 0
  private var download: BodyPipe?
  private var downloadWatch = StallWatch()
  private var responseStatus = 0
  private var allowsWorkerReuse = false
  private var allowsClientReuse: Bool

  init(_ head: RequestHead, client: Client, context: ReactorContext) {
    self.head = head
    self.client = client
    self.context = context
    started = context.reactor.now
    upload = BodyPipe(head.bodyFraming, isSentChunked: head.bodyFraming == .chunked || head.bodyFraming == .untilClose)
    responseParser = ResponseHeadParser(limits: context.snapshot.headLimits)
    allowsClientReuse = head.wantsKeepAlive
  }

  /// How many 1xx answers one request may get: they do not count as the answer that is awaited.
  private static let maxInterimAnswers = 16

  /// Begins: judges the request, and looks for a worker.
  func begin() {
    client.pauseReading()
    switch context.gate.judge(head, from: client, context: context) {
    case .refused(let refusal): answer(refusal)
    case .admitted(let admission): admit(admission)
    case .awaitsToken(let pending):
      self.pending = pending
      client.send(pending.upgrade.client.acceptance(subprotocol: pending.subprotocol, sha1: Digest.sha1), .more)
      let reception = Reception(awaitingTokenOf: self, client: client, context: context)
      self.reception = reception
      client.receive(reception)
    }
  }

  /// The first message has come: judges its token, and looks for a worker.
  func received(token message: [UInt8]) {
    guard let pending else { return }
    client.endReception(for: self)
    switch context.gate.judge(token: message, of: pending, from: client, context: context) {
    case .refused(let refusal): answer(refusal)
    case .admitted(let admission): admit(admission)
    case .awaitsToken: preconditionFailure("a token was judged")
    }
  }

  /// The client of a WebSocket that the edge has accepted may not come in.
  func refuse(_ refusal: Refusal) {
    client.endReception(for: self)
    answer(refusal)
  }

  private func admit(_ admission: Admission) {
    self.admission = admission
    let now = context.reactor.now
    search = WorkerSearch(
      pool: admission.route.pool, affinity: admission.route.affinity.worker(for: head, of: admission.caller), began: now,
      deadline: now + context.snapshot.timeouts.connect)
    findWorker(for: admission)
  }

  // MARK: The worker

  private func findWorker(for admission: Admission) {
    let isRepeatable = admission.upgrade == nil && mayTryAgain
    switch search?.next(mayReuse: isRepeatable, context: context) {
    case .found(let link): send(admission, over: link)
    case .later(let time):
      state = .waitingForBacklog(until: time)
      client.deadlineMoved()
    case .empty, nil:
      answer(search?.metEarlyEnd == true ? .workerError("worker_ended", admission) : .noWorker(admission))
    }
  }

  private func send(_ admission: Admission, over link: WorkerLink) {
    worker = link
    link.belong(to: self)
    link.send(admission.workerHead.span)
    state = .awaitingResponse(deadline: context.reactor.now + context.snapshot.timeouts.workerResponse)
    if !upload.isComplete { beginUpload() }
    client.deadlineMoved()
  }

  /// Whether another worker may be asked: nothing of the request is lost, and asking twice does no harm.
  private var mayTryAgain: Bool {
    upload.isComplete && upload.dataBytes == 0 && interimAnswers == 0 && (head.method == "GET" || head.method == "HEAD")
  }

  private func beginUpload() {
    // A client that waits for 100 is not slow.
    if !head.expectsContinue { watchUpload() }
    client.resumeReading()
  }

  // MARK: Bytes

  /// Passes on what the client sent of the request's body, from `offset` on.
  ///
  /// - Returns: where the bytes begin that are not this request's.
  func receivedFromClient(_ bytes: Span<UInt8>, from offset: Int) -> Int {
    guard let worker, !upload.isComplete else {
      client.pauseReading()
      return offset
    }
    let end: Int
    do {
      end = try upload.carry(bytes, from: offset) { worker.send($0) }
    } catch {
      answerOrAbort(.badBody(error, admission))
      return bytes.count
    }
    if upload.isComplete || worker.waitingBytes > 0 {
      uploadWatch.drained()
      client.pauseReading()
    } else {
      watchUpload()
    }
    restartResponseDeadline()
    return end
  }

  /// The client's side of its stream has ended, and with it a body that had no length.
  func clientEndedBody() {
    guard let worker, !upload.isComplete else { return }
    do {
      try upload.receivedEnd { worker.send($0) }
    } catch {
      return answerOrAbort(.badBody(error, admission))
    }
    uploadWatch.drained()
    restartResponseDeadline()
  }

  /// Passes on what the worker sent, from `offset` on.
  ///
  /// - Returns: where the bytes begin that belong to what follows the response's head.
  func receivedFromWorker(_ bytes: Span<UInt8>, from offset: Int) -> Int {
    switch state {
    case .awaitingResponse: return readResponseHead(bytes, from: offset)
    case .responding: return readResponseBody(bytes, from: offset)
    // Bytes behind the response: the link cannot be used again.
    case .judging, .waitingForBacklog, .ended:
      worker?.close()
      return bytes.count
    }
  }

  private func readResponseHead(_ bytes: Span<UInt8>, from offset: Int) -> Int {
    do {
      switch try responseParser.receive(bytes.extracting(droppingFirst: offset)) {
      case .needMore: return bytes.count
      case .complete(let response, let consumed):
        received(response)
        return offset + consumed
      }
    } catch {
      fail(error.code)
      return bytes.count
    }
  }

  private func received(_ received: ResponseHead) {
    guard let admission, let worker else { return }
    worker.worker.pool.answered(worker.worker.id, now: context.reactor.now)
    guard !received.isInterim else { return passInterim(received) }
    var response = received
    let affinity = admission.route.affinity
    if let cookie = affinity.cookie(for: head, path: worker.worker.path, scheme: admission.scheme) { response.fields.add(cookie) }
    switch AnswerVerdict(response, to: head, admission, pending: pending) {
    case .passed: begin(response)
    case .opened(let acceptance): becomeTunnel(admission, worker, accepted: acceptance)
    case .refused(let word): answer(.workerError(word, admission))
    }
  }

  private func becomeTunnel(_ admission: Admission, _ worker: WorkerLink, accepted: ResponseHead) {
    state = .ended
    self.worker = nil
    if pending == nil { client.send(accepted, .more) }
    client.upgrade(to: Tunnel(admission, client: client, worker: worker), started: started)
  }

  private func passInterim(_ response: ResponseHead) {
    interimAnswers += 1
    guard interimAnswers <= Self.maxInterimAnswers else { return fail("worker_too_many_interim") }
    responseParser = ResponseHeadParser(limits: context.snapshot.headLimits)
    if pending == nil, let interim = ClientResponse.interim(response, to: head) { client.send(interim, .more) }
    if client.waitingBytes > 0 { pauseWorker() }
  }

  private func begin(_ response: ResponseHead) {
    guard let admission else { return }
    let framing: BodyFraming
    do {
      framing = try response.bodyFraming(requestMethod: head.method)
    } catch {
      return answer(.workerError(error.code, admission))
    }
    responseStatus = response.status
    allowsWorkerReuse = response.allowsKeepAlive && framing != .untilClose && upload.isComplete
    let answer = ClientResponse(
      response, framing: framing, to: head, keepsAlive: mayKeepClient, requestID: admission.caller.requestID)
    allowsClientReuse = answer.keepsAlive
    download = BodyPipe(framing, isSentChunked: answer.bodyFraming == .chunked)
    state = .responding
    let isWhole = framing == .none || framing == .length(0)
    client.send(answer.head, isWhole ? .nothing : .more)
    if isWhole { finish() }
    client.deadlineMoved()
  }

  private func readResponseBody(_ bytes: Span<UInt8>, from offset: Int) -> Int {
    let end: Int
    do {
      end = try download?.carry(bytes, from: offset) { client.send($0) } ?? bytes.count
    } catch {
      // The head is out: all that is left is to let the client see that the body is incomplete.
      abort()
      return bytes.count
    }
    if download?.isComplete == true {
      if end < bytes.count { allowsWorkerReuse = false }
      finish()
      return bytes.count
    }
    if client.waitingBytes > 0 { pauseWorker() }
    return end
  }

  /// More of the body is awaited.
  private func watchUpload() {
    uploadWatch.waits(sentBytes: upload.dataBytes, limits: context.snapshot.uploadStall, now: context.reactor.now)
  }

  private func pauseWorker() {
    downloadWatch.waits(sentBytes: client.sentBytes, limits: context.snapshot.stall, now: context.reactor.now)
    worker?.pauseReading()
    client.deadlineMoved()
  }

  // MARK: Events

  /// The client has taken all that waited for it.
  func clientDrained() {
    downloadWatch.drained()
    worker?.resumeReading()
  }

  /// The worker has taken all that waited for it.
  func workerDrained() {
    guard !upload.isComplete else { return }
    watchUpload()
    client.resumeReading()
    client.deadlineMoved()
  }

  /// The worker's connection has ended.
  func workerEnded() {
    guard let link = worker, let admission else { return }
    worker = nil
    switch state {
    case .awaitingResponse:
      let mayAsk = mayTryAgain && !responseParser.hasPartialHead
      if search?.endedEarly(link, context: context) == true, mayAsk { return findWorker(for: admission) }
      answer(.workerError("worker_ended", admission))
    case .responding:
      do {
        try download?.receivedEnd { client.send($0) }
        finish()
      } catch {
        abort()
      }
    case .judging, .waitingForBacklog, .ended: break
    }
  }

  /// The client has ended its side, and the last of its bytes were read.
  ///
  /// - Returns: whether the connection is over; a client of plain HTTP may wait for the rest of its response.
  func clientEndedInput() -> Bool {
    allowsClientReuse = false
    guard !endsWithClientInput else {
      clientLost()
      return true
    }
    return false
  }

  /// Whether the client's end of input means that nobody waits for the response any more.
  var endsWithClientInput: Bool {
    !upload.isComplete || admission?.upgrade != nil || client.isEncrypted
  }

  /// The client's connection is gone.
  func clientLost() {
    guard state != .ended else { return }
    record(status: 499, refusal: nil)
    state = .ended
    worker?.close()
    worker = nil
  }

  // MARK: Time

  /// When `timePassed` wants to be called, at the latest.
  var nextDeadline: Instant {
    var deadline = Instant.distantFuture
    switch state {
    case .waitingForBacklog(let time): deadline = time
    case .awaitingResponse(let time): deadline = time
    case .judging, .responding, .ended: break
    }
    if let stall = uploadWatch.nextDeadline { deadline = min(deadline, stall) }
    if let stall = downloadWatch.nextDeadline { deadline = min(deadline, stall) }
    return deadline
  }

  /// Does what is due.
  func timePassed() {
    let now = context.reactor.now
    if uploadWatch.isStalled(sentBytes: upload.dataBytes, now: now) { return answerOrAbort(.bodyTimeout(admission)) }
    if downloadWatch.isStalled(sentBytes: client.sentBytes, now: now) {
      if let route = admission?.route { context.metrics.slowConsumerClosed(route: route.index) }
      return abort()
    }
    switch state {
    case .waitingForBacklog(let time):
      if now >= time, let admission { findWorker(for: admission) }
    case .awaitingResponse(let deadline):
      if now >= deadline { workerHangs() }
    case .judging, .responding, .ended: break
    }
  }

  private func workerHangs() {
    guard let worker, let admission else { return }
    worker.surrenderPlace()
    worker.worker.pool.failed(worker.worker.id, .hung, now: context.reactor.now)
    answer(.workerTimeout(admission))
  }

  /// While the body comes, the worker need not answer; its time begins anew with every part.
  private func restartResponseDeadline() {
    guard case .awaitingResponse = state else { return }
    state = .awaitingResponse(deadline: context.reactor.now + context.snapshot.timeouts.workerResponse)
  }

  /// Whether the client's connection may carry another request. While a body that nobody wants is still coming, it would be
  /// misread as that request.
  private var mayKeepClient: Bool {
    allowsClientReuse && upload.isComplete && client.overload == nil && !context.shared.isDraining
  }

  // MARK: The end

  private func finish() {
    record(status: responseStatus, refusal: nil)
    state = .ended
    if let worker {
      if allowsWorkerReuse, worker.isQuiet {
        context.idleLinks.keep(worker, now: context.reactor.now)
      } else {
        worker.close()
      }
    }
    worker = nil
    client.finishExchange(keepAlive: allowsClientReuse)
  }

  /// The worker's answer cannot be read.
  private func fail(_ detail: String) {
    if let admission { answer(.workerError(detail, admission)) }
  }

  /// Answers in the edge's own words.
  private func answer(_ refusal: Refusal) {
    record(status: refusal.response.status, refusal: refusal)
    admission?.caller.giveBackPlaces()
    state = .ended
    worker?.close()
    worker = nil
    if let pending { return client.dismiss(refusal.close(of: pending.route), by: reception) }
    if let route = refusal.route, let acceptance = refusal.acceptance(of: head) {
      client.send(acceptance, .more)
      return client.dismiss(refusal.close(of: route), by: nil)
    }
    var response = refusal.response
    response.requestID = admission?.caller.requestID
    response.closesConnection = response.closesConnection || !mayKeepClient
    let (answer, body) = response.message(answering: head)
    client.send(answer, body.isEmpty ? .nothing : .body(body))
    client.finishExchange(keepAlive: !response.closesConnection)
  }

  /// Answers in the edge's own words, or cuts the response short if it is on its way.
  func answerOrAbort(_ refusal: Refusal) {
    if case .responding = state { abort() } else { answer(refusal) }
  }

  /// Cuts a response short: the client's framing tells it that something is missing.
  private func abort() {
    record(status: responseStatus, refusal: nil)
    state = .ended
    worker?.close()
    worker = nil
    client.abort()
  }

  private func record(status: Int, refusal: Refusal?) {
    context.exchangeEnded(self, client, status: status, refusal: refusal)
  }

  /// The body's bytes that the client got.
  var sentBodyBytes: UInt64 { download?.dataBytes ?? 0 }
  /// The body's bytes that the client sent.
  var receivedBodyBytes: UInt64 { upload.dataBytes }
}

/// Where an exchange stands.
private enum State: Equatable {
  case judging
  case waitingForBacklog(until: Instant)
  case awaitingResponse(deadline: Instant)
  case responding
  case ended
}
