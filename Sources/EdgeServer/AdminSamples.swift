import EdgeAdmin
import EdgeAuth
import EdgeCore
import EdgeIO
import EdgeTLS
import EdgeTelemetry

extension ProcessSample {
  init?(_ figures: ProcessFigures?, started: WallTime) {
    guard let figures else { return nil }
    self.init(
      cpuSeconds: figures.cpuSeconds, residentBytes: figures.residentBytes, virtualBytes: figures.virtualBytes,
      openDescriptors: UInt64(DescriptorLimit.openCount()), maxDescriptors: figures.maxDescriptors, startTime: started)
  }
}

extension ConnectionSummary {
  /// A client's WebSocket as the admin plane shows it; nil for a connection that is none.
  init?(_ client: Client) {
    guard let tunnel = client.tunnel else { return nil }
    self.init(
      id: client.id, listener: client.listener.name, route: tunnel.route.name, worker: tunnel.workerPath,
      user: tunnel.caller.user?.subject, clientAddress: tunnel.caller.address, origin: tunnel.caller.origin,
      clientProtocol: client.clientProtocol.word, tlsVersion: client.tlsVersion?.shortName, openedAt: tunnel.openedAt)
    state = tunnel.ending == nil ? .open : .closing
    lastMessageAt = tunnel.lastMessageAt
    received = Traffic(messages: tunnel.received.messages, bytes: tunnel.received.payloadBytes)
    sent = Traffic(messages: tunnel.sent.messages, bytes: tunnel.sent.payloadBytes)
    queuedBytes = tunnel.waitingBytes
  }
}
