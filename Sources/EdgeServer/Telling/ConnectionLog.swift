import EdgeAdmin
import EdgeAuth
import EdgeCore
import EdgeHTTP
import EdgeIO
import EdgePolicy
import EdgeRelay
import EdgeTLS
import EdgeTelemetry
import EdgeWebSocket

/// What is told of connections and requests, to the log and to the metrics: a line when a WebSocket opens, is denied or
/// closes, and one for each plain request. Never one for a message.
extension ReactorContext {
  /// A WebSocket has been opened.
  func tunnelOpened(_ client: Client, _ tunnel: Tunnel, started: Instant) {
    metrics.connectionOpened(listener: client.listener.index, protocol: client.clientProtocol)
    metrics.handshakeFinished(route: tunnel.route.index, result: .accepted, duration: reactor.now - started)
    shared.events.publish(.opened(client, tunnel))
    shared.accessLog.write(.info, "connection.opened", "A WebSocket was opened.") { line in
      line.describe(client)
      line.describe(tunnel)
      line.add(.outcome, HandshakeResult.accepted.word)
    }
  }

  /// A WebSocket has ended.
  func tunnelClosed(_ client: Client, _ tunnel: Tunnel) {
    let ending = tunnel.ending ?? RelayEnding(initiator: .network, code: .abnormal, reason: "")
    let lifetime = reactor.now - tunnel.opened.instant
    transits.forget(client.id)
    metrics.connectionClosed(
      listener: client.listener.index, protocol: client.clientProtocol, route: tunnel.route.index, initiator: ending.initiator,
      code: ending.code.rawValue, lifetime: lifetime)
    shared.events.publish(.closed(client, tunnel, ending))
    shared.closed.add(ClosedConnection(OpenConnection(client: client, tunnel: tunnel), ending))
    shared.accessLog.write(.info, "connection.closed", "A WebSocket was closed.") { line in
      line.describe(client)
      line.describe(tunnel)
      line.add(.closeCode, ending.code.rawValue)
      if !ending.reason.isEmpty { line.add(.closeReason, ending.reason) }
      line.add(.closeInitiator, ending.initiator.rawValue)
      line.add(.duration, lifetime)
      line.add(.messagesIn, tunnel.received.messages)
      line.add(.messagesOut, tunnel.sent.messages)
      line.add(.bytesIn, tunnel.received.payloadBytes)
      line.add(.bytesOut, tunnel.sent.payloadBytes)
    }
  }

  /// A request has ended without becoming a WebSocket.
  func exchangeEnded(_ exchange: Exchange, _ client: Client, status: Int, refusal: Refusal?) {
    let isUpgrade = OpeningRequest.isAttempt(exchange.head)
    let route = exchange.admission?.route ?? refusal?.route
    let duration = reactor.now - exchange.started
    if isUpgrade {
      metrics.handshakeFinished(
        route: route?.index, result: refusal?.result ?? (status == 499 ? .abandoned : .workerError), duration: duration)
      return denied(exchange, client, route: route, status: status, refusal: refusal)
    }
    metrics.httpRequestAnswered(route: route?.index, status: status)
    shared.accessLog.write(.info, "http.request", "A request was answered.") { line in
      line.describe(client)
      line.describe(exchange, route: route, status: status, refusal: refusal)
      line.add(.duration, duration)
      line.add(.bytesIn, exchange.receivedBodyBytes)
      line.add(.bytesOut, exchange.sentBodyBytes)
    }
  }

  /// A connection was reset, for it did not say in due form whose it is.
  func proxyHeaderRefused(_ peer: PeerAddress, listener: ListenerContext, _ word: String) {
    guard case .log(let suppressed) = shared.judgeDenial(peer.ip, now: reactor.now) else { return }
    shared.accessLog.write(.info, "connection.reset", "A connection was reset, for it bore no PROXY header that can be used.") {
      line in
      line.add(.listener, listener.name)
      line.add(.peerAddress, peer)
      line.add(.outcome, HandshakeResult.badRequest.word)
      line.add(.errorType, word)
      if suppressed > 0 { line.add(.suppressed, suppressed) }
    }
  }

  /// A handshake failed for the certificate that the client showed, or did not show.
  func certificateRefused(_ peer: PeerAddress, listener: ListenerContext, _ flaw: CertificateFlaw) {
    guard case .log(let suppressed) = shared.judgeDenial(peer.ip, now: reactor.now) else { return }
    shared.accessLog.write(.info, "tls.refused", "A handshake failed for the client's certificate.") { line in
      line.add(.listener, listener.name)
      line.add(.peerAddress, peer)
      line.add(.errorType, flaw.rawValue)
      if suppressed > 0 { line.add(.suppressed, suppressed) }
    }
  }

  /// A client over a limit was reset, for it was not worth an answer.
  func turnedAway(_ peer: PeerAddress, listener: ListenerContext, _ overload: Overload) {
    metrics.connectionTurnedAway(overload.result)
    guard case .log(let suppressed) = shared.judgeDenial(peer.ip, now: reactor.now) else { return }
    shared.events.publish(.turnedAway(peer, listener: listener, overload))
    shared.accessLog.write(.info, "connection.reset", "A client over a limit was reset, without an answer.") { line in
      line.add(.listener, listener.name)
      line.add(.peerAddress, peer)
      line.add(.outcome, overload.result.word)
      line.add(.errorType, overload.detail)
      if suppressed > 0 { line.add(.suppressed, suppressed) }
    }
  }

  /// Bytes that are no request have been answered.
  func headRefused(_ client: Client, _ refusal: Refusal) {
    metrics.httpRequestAnswered(route: nil, status: refusal.response.status)
    guard case .log(let suppressed) = shared.judgeDenial(client.peer.ip, now: reactor.now) else { return }
    shared.accessLog.write(.info, "http.malformed", "Bytes that are no request were refused.") { line in
      line.describe(client)
      line.add(.status, refusal.response.status)
      line.add(.errorType, refusal.detail)
      if suppressed > 0 { line.add(.suppressed, suppressed) }
    }
  }

  /// A client floods its connection of HTTP/2, which ends.
  func flooded(_ client: Client, _ kind: FloodBudget.Kind) {
    metrics.http2Flooded(kind)
    guard case .log(let suppressed) = shared.judgeDenial(client.peer.ip, now: reactor.now) else { return }
    shared.accessLog.write(.warning, "http2.flood", "A client sent more frames of one kind than it may; its connection ends.") {
      line in
      line.describe(client)
      line.add(.errorType, kind.word)
      if suppressed > 0 { line.add(.suppressed, suppressed) }
    }
  }

  private func denied(_ exchange: Exchange, _ client: Client, route: Route?, status: Int, refusal: Refusal?) {
    let address = exchange.admission?.caller.address ?? refusal?.address ?? client.peer.ip
    guard case .log(let suppressed) = shared.judgeDenial(address, now: reactor.now) else { return }
    shared.events.publish(
      .denied(client, address: address, user: exchange.admission?.caller.user, route: route, status: status, refusal: refusal))
    shared.accessLog.write(.info, "connection.denied", "A WebSocket was denied.") { line in
      line.describe(client)
      line.describe(exchange, route: route, status: status, refusal: refusal)
      if suppressed > 0 { line.add(.suppressed, suppressed) }
    }
  }
}

extension LogLine {
  fileprivate mutating func describe(_ client: Client) {
    add(.connectionID, client.id)
    add(.listener, client.listener.name)
    add(.peerAddress, client.peer)
    if client.clientProtocol == .http2 { add(.protocolVersion, HTTPVersion.http2.shortName) }
    if let version = client.tlsVersion { add(.tlsVersion, version.shortName) }
  }

  /// A request that has not become a WebSocket, and what it was answered.
  fileprivate mutating func describe(_ exchange: Exchange, route: Route?, status: Int, refusal: Refusal?) {
    describe(exchange.head)
    let caller = exchange.admission?.caller
    if let address = refusal?.address ?? caller?.address { add(.clientAddress, address) }
    if let route { add(.route, route.name) }
    if let caller { describe(namesOf: caller) }
    add(.status, status)
    if let refusal {
      add(.outcome, refusal.result.word)
      add(.errorType, refusal.detail)
    }
  }

  private mutating func describe(_ head: RequestHead) {
    // That of HTTP/2 is the client's own, and is there already.
    if head.version != .http2 { add(.protocolVersion, head.version.shortName) }
    if let host = head.host { add(.serverAddress, host) }
    add(.method, head.method)
    add(.urlPath, head.target.path)
    if let origin = head.fields["Origin"] { add(.origin, origin) }
  }

  fileprivate mutating func describe(_ tunnel: Tunnel) {
    let caller = tunnel.caller
    if let address = caller.address { add(.clientAddress, address) }
    if let host = caller.host { add(.serverAddress, host) }
    add(.urlPath, caller.path)
    if let origin = caller.origin { add(.origin, origin) }
    add(.route, tunnel.route.name)
    describe(namesOf: caller)
    add(.worker, tunnel.workerPath)
  }

  private mutating func describe(namesOf caller: Caller) {
    if let id = caller.clientsRequestID { add(.requestID, id) } else { add(.requestID, caller.traceID) }
    add(.traceID, caller.traceID)
    if let user = caller.user { add(.userID, user.subject) }
  }

  private mutating func add(_ field: LogField, _ trace: TraceID) {
    add(field, high: trace.high, low: trace.low)
  }
}

extension HTTPVersion {
  /// The version as `network.protocol.version` has it.
  fileprivate var shortName: String {
    switch self {
    case .http10: "1.0"
    case .http11: "1.1"
    case .http2: "2"
    }
  }
}
