import EdgeCore
import Synchronization
import Testing

@testable import EdgeTelemetry

@Suite struct `Counters of a reactor` {
  @Test func `every label has a cell of its own`() {
    let metrics = ReactorMetrics(layout: layout)
    for result in HandshakeResult.allCases { metrics.handshakeFinished(route: 0, result: result, duration: .zero) }
    for index in HandshakeResult.allCases.indices { #expect(metrics.routes[0].handshakes[index].value == 1) }
    for initiator in Initiator.allCases {
      for code in 1_000...1_015 as ClosedRange<UInt16> { close(metrics, initiator, code) }
      for code in [4_401, 4_403, 4_408, 4_409, 4_429, 4_999] as [UInt16] { close(metrics, initiator, code) }
    }
    for index in 0..<metrics.routes[0].connectionsClosed.count { #expect(metrics.routes[0].connectionsClosed[index].value == 1) }
    for result in TLSHandshakeResult.allCases {
      for version in TLSVersionLabel.allCases {
        for resumed in [false, true] {
          metrics.tlsHandshakeFinished(result: result, version: version, resumed: resumed, duration: .zero)
        }
      }
    }
    for index in 0..<metrics.totals.tlsHandshakes.count { #expect(metrics.totals.tlsHandshakes[index].value == 1) }
    #expect(metrics.routes[0].httpRequests.count == StatusLabel.words.count)
    #expect(metrics.routes[0].protocolErrors.count == 2 * (MetricLayout.maxProtocolErrors + 1))
  }

  @Test func `what a peer chooses cannot make a series`() {
    let metrics = ReactorMetrics(layout: layout)
    close(metrics, .client, 3_333)
    metrics.httpRequestAnswered(route: 0, status: 999)
    metrics.httpRequestAnswered(route: nil, status: -1)
    metrics.protocolError(route: 0, side: .client, error: 77)
    let text = scrape([metrics])
    #expect(text.contains(#"sluice_connections_closed_total{route="chat",initiator="client",code="other"} 1"#))
    #expect(text.contains(#"sluice_http_requests_total{route="chat",code="other"} 1"#))
    #expect(text.contains(#"sluice_http_requests_total{route="",code="other"} 1"#))
    #expect(text.contains(#"sluice_protocol_errors_total{route="chat",side="client",error="other"} 1"#))
  }

  @Test func `a new configuration goes on from the old counts by name`() {
    let old = ReactorMetrics(layout: layout)
    old.messageForwarded(route: 1, direction: .sent, type: .binary, bytes: 100)
    old.connectionOpened(listener: 0, protocol: .http1)
    let grown = MetricLayout(routes: ["new", "feed"], listeners: ["inner", "public"], protocolErrors: layout.protocolErrors)
    let new = ReactorMetrics(layout: grown, continuing: old)
    new.messageForwarded(route: 1, direction: .sent, type: .binary, bytes: 100)
    let text = scrape([new])
    #expect(text.contains(#"sluice_messages_total{route="feed",direction="sent",type="binary"} 2"#))
    #expect(text.contains(#"sluice_connections{listener="public",protocol="http/1.1"} 1"#))
    #expect(!text.contains(#"route="chat""#))
  }

  @Test func `reactors write while a scrape reads, and nothing is lost`() async {
    let reactors = (0..<4).map { _ in ReactorMetrics(layout: layout) }
    let rounds = 20_000
    await withTaskGroup(of: Void.self) { group in
      for metrics in reactors {
        group.addTask {
          for round in 0..<rounds {
            metrics.messageForwarded(route: round & 1, direction: .received, type: .text, bytes: 128)
            metrics.sendQueueChanged(by: round & 1 == 0 ? 10 : -10)
          }
        }
      }
      group.addTask {
        for _ in 0..<20 { _ = scrape(reactors) }
      }
    }
    let text = scrape(reactors)
    #expect(text.contains(#"sluice_messages_total{route="chat",direction="received",type="text"} \#(rounds * 2)"#))
    #expect(text.contains(#"sluice_message_bytes_total{route="feed",direction="received"} \#(rounds * 2 * 128)"#))
    #expect(text.contains("sluice_message_size_bytes_count \(rounds * 4)\n"))
    #expect(text.contains("sluice_send_queue_bytes 0\n"))
  }

  private func close(_ metrics: ReactorMetrics, _ initiator: Initiator, _ code: UInt16) {
    metrics.connectionClosed(
      listener: 0, protocol: .http1, route: 0, initiator: initiator, code: code, lifetime: .seconds(1))
  }
}

let layout = MetricLayout(
  routes: ["chat", "feed"], listeners: ["public"], protocolErrors: ["reserved_bits", "unmasked_frame"])

func scrape(_ reactors: [ReactorMetrics], _ format: ExpositionFormat = .prometheus) -> String {
  String(decoding: Exposition.render(ScrapeValues(version: "1.0"), reactors: reactors, as: format), as: UTF8.self)
}
