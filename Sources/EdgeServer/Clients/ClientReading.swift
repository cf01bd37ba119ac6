import EdgeConfig
import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgeTLS
import EdgeTelemetry

/// How a client's bytes come in: TLS first, then the bytes that tell the version of HTTP, then heads; what comes behind a head is for
/// the conversation that goes on.
extension ClientConnection {
  /// Reads, if it is time to: once, or what is kept from the last time.
  func read(through input: TurnInput) {
    guard isAdded else { return }
    if case .handshaking = phase { return handshake(through: input) }
    switch inlet.turn {
    case .wait: break
    case .useKept: use(input.place(kept), of: input, waits: false)
    case .receive: receive(into: input)
    }
  }

  private func receive(into input: TurnInput) {
    // Nobody keeps more than one read brings; what does has lost its way.
    guard kept.count <= context.scratch.plaintextBytes else { return lost() }
    let keptCount = input.place(kept)
    let (limit, waits) = readRule
    guard let outcome = unsafe transport?.receive(into: input.room(after: keptCount), limit: limit) else { return }
    received(outcome, in: input, after: keptCount, waits: waits)
    if reportedWaiting > 0 { boundWaiting() }
  }

  /// Reading may have made TLS answer. Nobody pauses for those answers, so a client that provokes them and takes none ends.
  private func boundWaiting() {
    guard waitingBytes > 0 else { return }
    if waitingBytes > Self.maxWaitingBytes { abort() } else { watchWaiting() }
  }

  /// - Parameter waits: whether the bytes are used together with those of others.
  private func received(_ outcome: ReceiveOutcome, in input: TurnInput, after keptCount: Int, waits: Bool) {
    switch outcome {
    case .bytes(let count, let more, let answerWaits):
      if answerWaits { watchWaiting() }
      if inlet.received(more: more) { context.reactor.runLater(self) }
      if count > 0 { use(keptCount + count, of: input, waits: waits) }
    case .wouldBlock: if inlet.foundNothing() { lost() }
    case .ended: ended()
    case .failed: lost()
    }
  }

  /// Uses the bytes that were read last, the kept ones in front of them: what a WebSocket says together with what others say in the
  /// turn, anything else at once.
  private func use(_ count: Int, of input: TurnInput, waits: Bool) {
    if !kept.isEmpty { kept = [] }
    if waits { input.keep(count, for: self) } else { input.withLast(count) { process($0) } }
  }

  /// Uses bytes that were read; keeps what cannot be used yet.
  func process(_ bytes: Span<UInt8>) {
    if inlet.useKept() { context.reactor.runLater(self) }
    let count = bytes.count
    var offset = 0
    while offset < count, !inlet.isPaused {
      let before = offset
      switch phase {
      case .awaitingFirstBytes: offset = readFirstBytes(bytes, from: offset)
      case .readingHead, .betweenRequests: offset = readHead(bytes, from: offset)
      case .talking(let conversation): offset = conversation.receivedFromClient(bytes, from: offset)
      case .lingering, .closed, .handshaking: return
      }
      guard offset > before else { break }
    }
    if offset < count, transport != nil { kept = Array(copying: bytes.extracting(droppingFirst: offset)) }
  }

  /// The first bytes of a connection without TLS tell the HTTP version, by prior knowledge (RFC 9113 §3.3).
  private func readFirstBytes(_ bytes: Span<UInt8>, from offset: Int) -> Int {
    switch ClientPreface.match(bytes.extracting(droppingFirst: offset)) {
    case .part: return offset
    case .whole: return beginSession()?.receivedFromClient(bytes, from: offset) ?? bytes.count
    case .none:
      guard listener.protocols.contains(.http1) else {
        refuseHead(.badHead(.versionNotSupported))
        return bytes.count
      }
      phase = .readingHead(deadline: phase.nextDeadline)
      return readHead(bytes, from: offset)
    }
  }

  /// The client speaks HTTP/2.
  private func beginSession() -> ClientSession? {
    do {
      let session = try ClientSession(self, context: context)
      phase = .talking(.session(session))
      session.flush()
      deadlineMoved()
      return session
    } catch {
      close()
      return nil
    }
  }

  private func readHead(_ bytes: Span<UInt8>, from offset: Int) -> Int {
    let reading = headInProgress ?? HeadInProgress(limits: context.snapshot.headLimits)
    do {
      switch try reading.parser.receive(bytes.extracting(droppingFirst: offset)) {
      case .needMore:
        headInProgress = reading
        beginHead()
        return bytes.count
      case .complete(let head, let consumed):
        headInProgress = nil
        begin(head)
        return offset + consumed
      }
    } catch {
      refuseHead(.badHead(error))
      return bytes.count
    }
  }

  /// The first byte of a further request ends the wait between requests: the whole head is due from now on.
  private func beginHead() {
    guard case .betweenRequests = phase else { return }
    phase = .readingHead(deadline: context.reactor.now + context.snapshot.timeouts.head)
    deadlineMoved()
  }

  /// The most that may wait for a client, in bytes: one turn's share, TLS around it, and the edge's own frames.
  private static let maxWaitingBytes = 262_144

  /// How many bytes one turn may read, since what they become must fit the worker's queue; and whether they are used together with
  /// those of others.
  private var readRule: (limit: Int, waits: Bool) {
    switch phase {
    case .talking(.tunnel(let tunnel)): (min(ReactorContext.shareBytes, tunnel.route.maxSendQueueBytes), true)
    case .talking, .handshaking, .awaitingFirstBytes, .readingHead, .betweenRequests, .lingering, .closed:
      (ReactorContext.shareBytes, false)
    }
  }
}

// MARK: The TLS handshake

extension ClientConnection {
  private func handshake(through input: TurnInput) {
    guard case .receive = inlet.turn, let outcome = transport?.handshake() else { return }
    switch outcome {
    case .needsInput:
      boundWaiting()
      if inlet.received(more: false) { context.reactor.runLater(self) }
    case .done(let info, let more):
      agreedTLSVersion = info.version
      context.metrics.tlsHandshakeFinished(
        result: .completed, version: info.version.label, resumed: info.isResumed, duration: context.reactor.now - accepted)
      beginHTTP(info.applicationProtocol)
      // The input that completed the handshake may hold the first request too.
      let keptCount = input.place(kept)
      guard let rest = unsafe transport?.receiveRest(into: input.room(after: keptCount), more: more) else { return }
      received(rest, in: input, after: keptCount, waits: false)
    case .failed(let error):
      if case .untrusted(let flaw) = error { context.certificateRefused(peer, listener: listener, flaw) }
      handshakeFailed(.failed)
    case .ended: handshakeFailed(.abandoned)
    }
  }

  /// A client that names no version speaks HTTP/1.1 (RFC 7301 §3.2 asks nothing of it).
  private func beginHTTP(_ agreed: String?) {
    if agreed == ClientProtocol.http2.word {
      _ = beginSession()
    } else if listener.protocols.contains(.http1) {
      phase = .readingHead(deadline: context.reactor.now + context.snapshot.timeouts.head)
      deadlineMoved()
    } else {
      linger()
    }
  }

  /// TLS came to nothing.
  func handshakeFailed(_ result: TLSHandshakeResult) {
    context.metrics.tlsHandshakeFinished(result: result, version: .none, resumed: false, duration: context.reactor.now - accepted)
    close()
  }
}

extension TLSVersion {
  fileprivate var label: TLSVersionLabel {
    switch self {
    case .tls12: .tls12
    case .tls13: .tls13
    }
  }
}
