import EdgeCore
import EdgeTelemetry
import Testing

@Suite struct `Totals of all reactors` {
  private let layout = MetricLayout(routes: ["a", "b"], listeners: ["public"], protocolErrors: [])

  @Test func `are the sums of what was counted, by route and of all`() {
    let reactors = [ReactorMetrics(layout: layout), ReactorMetrics(layout: layout)]
    for (index, reactor) in reactors.enumerated() {
      reactor.messageForwarded(route: 0, direction: .received, type: .text, bytes: 10)
      reactor.messageForwarded(route: 1, direction: .sent, type: .binary, bytes: 100 * (index + 1))
      reactor.handshakeFinished(route: 0, result: .accepted, duration: .zero)
      reactor.handshakeFinished(route: nil, result: .noRoute, duration: .zero)
      reactor.throttledConnectionsChanged(by: 2)
      reactor.waitingClientsChanged(by: 1)
      reactor.sendQueueChanged(by: 1_000)
    }
    reactors[0].connectionClosed(listener: 0, protocol: .http1, route: 0, initiator: .client, code: 1000, lifetime: .zero)
    let totals = EdgeTotals(of: reactors)
    #expect(totals.route("a").messagesReceived == 2 && totals.route("a").bytesReceived == 20)
    #expect(totals.route("a").open == 1)
    #expect(totals.route("b").messagesSent == 2 && totals.route("b").bytesSent == 300)
    #expect(totals.all.messagesReceived == 2 && totals.all.bytesSent == 300)
    #expect(totals.all.handshakes[HandshakeResult.accepted.rawValue] == 2)
    #expect(totals.all.handshakes[HandshakeResult.noRoute.rawValue] == 2)
    #expect(totals.throttledConnections == 4 && totals.waitingClients == 2 && totals.sendQueueBytes == 2_000)
    #expect(totals.route("none") == TrafficTotals())
  }

  @Test func `go by name where reactors are at different configurations`() {
    let newer = ReactorMetrics(layout: MetricLayout(routes: ["b"], listeners: [], protocolErrors: []))
    newer.messageForwarded(route: 0, direction: .received, type: .text, bytes: 1)
    let older = ReactorMetrics(layout: layout)
    older.messageForwarded(route: 1, direction: .received, type: .text, bytes: 1)
    #expect(EdgeTotals(of: [older, newer]).route("b").messagesReceived == 2)
  }

  @Test func `never show less than none`() {
    let reactor = ReactorMetrics(layout: layout)
    reactor.connectionClosed(listener: 0, protocol: .http1, route: 0, initiator: .client, code: 1000, lifetime: .zero)
    reactor.sendQueueChanged(by: -5)
    #expect(EdgeTotals(of: [reactor]).route("a").open == 0)
    #expect(EdgeTotals(of: [reactor]).sendQueueBytes == 0)
  }
}
