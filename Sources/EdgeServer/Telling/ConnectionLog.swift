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
    shared.accessLog.write(.info, "connection.opened", "A WebSocket was opened.") { record in
      describe(client, in: &record)
      describe(tunnel.caller, route: tunnel.route, in: &record)
      record[.worker] = .text(tunnel.workerPath)
      record[.outcome] = .text(HandshakeResult.accepted.word)
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
    shared.accessLog.write(.info, "connection.closed", "A WebSocket was closed.") { record in
      describe(client, in: &record)
      describe(tunnel.caller, route: tunnel.route, in: &record)
      record[.worker] = .text(tunnel.workerPath)
      record[.closeCode] = .integer(Int64(ending.code.rawValue))
      if !ending.reason.isEmpty { record[.closeReason] = .text(ending.reason) }
      record[.closeInitiator] = .text(ending.initiator.rawValue)
      record[.duration] = .seconds(lifetime)
      record[.messagesIn] = .integer(Int64(clamping: tunnel.received.messages))
      record[.messagesOut] = .integer(Int64(clamping: tunnel.sent.messages))
      record[.bytesIn] = .integer(Int64(clamping: tunnel.received.payloadBytes))
      record[.bytesOut] = .integer(Int64(clamping: tunnel.sent.payloadBytes))
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
    shared.accessLog.write(.info, "http.request", "A request was answered.") { record in
      describe(client, in: &record)
      describe(exchange.head, in: &record)
      describe(exchange, route: route, status: status, refusal: refusal, in: &record)
      record[.duration] = .seconds(duration)
      record[.bytesIn] = .integer(Int64(clamping: exchange.receivedBodyBytes))
      record[.bytesOut] = .integer(Int64(clamping: exchange.sentBodyBytes))
    }
  }

  /// A connection was reset, for it did not say in due form whose it is.
  func proxyHeaderRefused(_ peer: PeerAddress, listener: ListenerContext, _ word: String) {
    guard case .log(let suppressed) = shared.judgeDenial(peer.ip, now: reactor.now) else { return }
    shared.accessLog.write(.info, "connection.reset", "A connection was reset, for it bore no PROXY header that can be used.") {
      record in
      record[.listener] = .text(listener.name)
      record[.peerAddress] = .peer(peer)
      record[.outcome] = .text(HandshakeResult.badRequest.word)
      record[.errorType] = .text(word)
      if suppressed > 0 { record[.suppressed] = .integer(Int64(clamping: suppressed)) }
    }
  }

  /// A handshake failed for the certificate that the client showed, or did not show.
  func certificateRefused(_ peer: PeerAddress, listener: ListenerContext, _ flaw: CertificateFlaw) {
    guard case .log(let suppressed) = shared.judgeDenial(peer.ip, now: reactor.now) else { return }
    shared.accessLog.write(.info, "tls.refused", "A handshake failed for the client's certificate.") { record in
      record[.listener] = .text(listener.name)
      record[.peerAddress] = .peer(peer)
      record[.errorType] = .text(flaw.rawValue)
      if suppressed > 0 { record[.suppressed] = .integer(Int64(clamping: suppressed)) }
    }
  }

  /// A client over a limit was reset, for it was not worth an answer.
  func turnedAway(_ peer: PeerAddress, listener: ListenerContext, _ overload: Overload) {
    metrics.connectionTurnedAway(overload.result)
    guard case .log(let suppressed) = shared.judgeDenial(peer.ip, now: reactor.now) else { return }
    shared.events.publish(.turnedAway(peer, listener: listener, overload))
    shared.accessLog.write(.info, "connection.reset", "A client over a limit was reset, without an answer.") { record in
      record[.listener] = .text(listener.name)
      record[.peerAddress] = .peer(peer)
      record[.outcome] = .text(overload.result.word)
      record[.errorType] = .text(overload.detail)
      if suppressed > 0 { record[.suppressed] = .integer(Int64(clamping: suppressed)) }
    }
  }

  /// Bytes that are no request have been answered.
  func headRefused(_ client: Client, _ refusal: Refusal) {
    metrics.httpRequestAnswered(route: nil, status: refusal.response.status)
    guard case .log(let suppressed) = shared.judgeDenial(client.peer.ip, now: reactor.now) else { return }
    shared.accessLog.write(.info, "http.malformed", "Bytes that are no request were refused.") { record in
      describe(client, in: &record)
      record[.status] = .integer(Int64(refusal.response.status))
      record[.errorType] = .text(refusal.detail)
      if suppressed > 0 { record[.suppressed] = .integer(Int64(clamping: suppressed)) }
    }
  }

  /// A client floods its connection of HTTP/2, which ends.
  func flooded(_ client: Client, _ kind: FloodBudget.Kind) {
    metrics.http2Flooded(kind)
    guard case .log(let suppressed) = shared.judgeDenial(client.peer.ip, now: reactor.now) else { return }
    shared.accessLog.write(.warning, "http2.flood", "A client sent more frames of one kind than it may; its connection ends.") {
      record in
      describe(client, in: &record)
      record[.errorType] = .text(kind.word)
      if suppressed > 0 { record[.suppressed] = .integer(Int64(clamping: suppressed)) }
    }
  }

  private func denied(_ exchange: Exchange, _ client: Client, route: Route?, status: Int, refusal: Refusal?) {
    let address = exchange.admission?.caller.address ?? refusal?.address ?? client.peer.ip
    guard case .log(let suppressed) = shared.judgeDenial(address, now: reactor.now) else { return }
    shared.events.publish(
      .denied(client, address: address, user: exchange.admission?.caller.user, route: route, status: status, refusal: refusal))
    shared.accessLog.write(.info, "connection.denied", "A WebSocket was denied.") { record in
      describe(client, in: &record)
      describe(exchange.head, in: &record)
      describe(exchange, route: route, status: status, refusal: refusal, in: &record)
      if suppressed > 0 { record[.suppressed] = .integer(Int64(clamping: suppressed)) }
    }
  }

  private func describe(_ client: Client, in record: inout LogRecord) {
    record[.connectionID] = .connection(client.id)
    record[.listener] = .text(client.listener.name)
    record[.peerAddress] = .peer(client.peer)
    if client.clientProtocol == .http2 { record[.protocolVersion] = "2" }
    if let version = client.tlsVersion { record[.tlsVersion] = .text(version.shortName) }
  }

  private func describe(_ head: RequestHead, in record: inout LogRecord) {
    record[.protocolVersion] = .text(head.version.shortName)
    if let host = head.host { record[.serverAddress] = .text(host) }
    record[.method] = .text(head.method)
    record[.urlPath] = .text(head.target.path)
    if let origin = head.fields["Origin"] { record[.origin] = .text(origin) }
  }

  private func describe(_ exchange: Exchange, route: Route?, status: Int, refusal: Refusal?, in record: inout LogRecord) {
    if let admission = exchange.admission { describe(admission.caller, route: admission.route, in: &record) }
    if let address = refusal?.address { record[.clientAddress] = .address(address) }
    if let route { record[.route] = .text(route.name) }
    record[.status] = .integer(Int64(status))
    if let refusal {
      record[.outcome] = .text(refusal.result.word)
      record[.errorType] = .text(refusal.detail)
    }
  }

  private func describe(_ caller: Caller, route: Route, in record: inout LogRecord) {
    if let address = caller.address { record[.clientAddress] = .address(address) }
    if let host = caller.host { record[.serverAddress] = .text(host) }
    record[.urlPath] = .text(caller.path)
    if let origin = caller.origin { record[.origin] = .text(origin) }
    record[.route] = .text(route.name)
    record[.requestID] = .text(caller.requestID)
    record[.traceID] = .trace(high: caller.traceID.high, low: caller.traceID.low)
    if let user = caller.user { record[.userID] = .text(user.subject) }
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
