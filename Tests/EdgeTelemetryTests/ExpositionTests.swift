import EdgeCore
import Testing

@testable import EdgeTelemetry

@Suite struct `Exposition text` {
  @Test func `the older format has its exact shape`() {
    var writer = ExpositionWriter(.prometheus)
    writeExample(&writer)
    #expect(
      String(decoding: writer.finish(), as: UTF8.self) == #"""
        # HELP x_total Help with a \\ and a\nline.
        # TYPE x_total counter
        x_total{name="a\"b\\c\nd"} 18446744073709551615
        # HELP y Level.
        # TYPE y gauge
        y -3
        # HELP z_seconds Times.
        # TYPE z_seconds histogram
        z_seconds_bucket{le="1"} 1
        z_seconds_bucket{le="5"} 1
        z_seconds_bucket{le="15"} 1
        z_seconds_bucket{le="60"} 3
        z_seconds_bucket{le="300"} 3
        z_seconds_bucket{le="900"} 3
        z_seconds_bucket{le="3600"} 3
        z_seconds_bucket{le="14400"} 3
        z_seconds_bucket{le="43200"} 3
        z_seconds_bucket{le="86400"} 3
        z_seconds_bucket{le="+Inf"} 4
        z_seconds_sum 100065.5
        z_seconds_count 4

        """#)
  }

  @Test func `OpenMetrics names a counter's family without suffix, tells units, writes bounds with a point, and ends`() {
    var writer = ExpositionWriter(.openMetrics)
    writeExample(&writer)
    let text = String(decoding: writer.finish(), as: UTF8.self)
    #expect(text.hasPrefix("# HELP x Help"))
    #expect(text.contains("# TYPE x counter\nx_total{name="))
    #expect(text.contains("# TYPE z_seconds histogram\n# UNIT z_seconds seconds\nz_seconds_bucket"))
    #expect(text.contains(#"z_seconds_bucket{le="1.0"} 1"#))
    #expect(text.hasSuffix("\n# EOF\n"))
  }

  @Test(arguments: ExpositionFormat.allCases)
  func `every family is described once and no sample comes twice`(format: ExpositionFormat) {
    let text = busyScrape(format)
    let lines = text.split(separator: "\n")
    let types = lines.filter { $0.hasPrefix("# TYPE ") }
    #expect(Set(types).count == types.count)
    #expect(types.count == 47)
    let samples = lines.filter { !$0.hasPrefix("#") }.compactMap { $0.split(separator: " ").first }
    #expect(Set(samples).count == samples.count)
    #expect(text.hasSuffix("# EOF\n") == (format == .openMetrics))
  }

  @Test func `no label names a user, an address, a room or an origin`() {
    let allowed: Set<Substring> = [
      "version", "revision", "tls", "loop", "listener", "protocol", "route", "initiator", "code", "result", "resumed", "name",
      "direction", "type", "side", "error", "pool", "worker", "reason", "scope", "action", "auth", "kind", "le",
    ]
    for line in busyScrape(.prometheus).split(separator: "\n") where !line.hasPrefix("#") {
      guard let start = line.firstIndex(of: "{") else { continue }
      for pair in line[start...].dropFirst().split(separator: ",") {
        if let name = pair.split(separator: "=").first, pair.contains("=\"") { #expect(allowed.contains(name)) }
      }
    }
  }

  @Test func `a replaced worker and its successor share one series`() {
    var values = ScrapeValues(version: "1")
    values.workers = [
      WorkerSample(pool: "chat", worker: "/a.sock", isUp: false, connections: 3, connectFailures: ["refused": 1]),
      WorkerSample(pool: "chat", worker: "/a.sock", isUp: true, connections: 4, connectFailures: ["refused": 2]),
    ]
    values.certificates = [
      CertificateSample(name: "a.example", notAfter: WallTime(seconds: 200)),
      CertificateSample(name: "a.example", notAfter: WallTime(seconds: 100)),
    ]
    let text = String(decoding: Exposition.render(values, reactors: [], as: .prometheus), as: UTF8.self)
    #expect(text.contains(#"sluice_worker_up{pool="chat",worker="/a.sock"} 1"#))
    #expect(text.contains(#"sluice_worker_connections{pool="chat",worker="/a.sock"} 7"#))
    #expect(text.contains(#"sluice_worker_connect_failures_total{pool="chat",worker="/a.sock",reason="refused"} 3"#))
    #expect(text.contains(#"sluice_tls_certificate_not_after_timestamp_seconds{name="a.example"} 100"#))
  }

  @Test func `the cache counts by what it knew, and a key set that was never fetched is infinitely old`() {
    let text = busyScrape(.prometheus)
    #expect(text.contains("sluice_token_cache_total{result=\"hit\"} 2\n"))
    #expect(text.contains("sluice_token_cache_total{result=\"expired\"} 0\n"))
    #expect(text.contains("sluice_jwks_age_seconds{auth=\"idle\"} +Inf\nsluice_jwks_age_seconds{auth=\"main\"} 7\n"))
  }

  @Test(
    arguments: [
      (nil, .prometheus), ("", .prometheus), ("*/*", .prometheus), ("text/plain", .prometheus),
      ("application/openmetrics-text", .openMetrics),
      (
        "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;q=0.5",
        .openMetrics
      ),
      ("application/openmetrics-text;q=0.3, text/plain;q=0.4", .prometheus),
      ("application/openmetrics-text;q=0", .prometheus), ("application/openmetrics-text;q=0.000", .prometheus),
      ("application/openmetrics-text; q=banana", .prometheus), ("application/openmetrics-text;version=2.0.0", .prometheus),
      ("APPLICATION/OpenMetrics-Text ; Q=1.0", .openMetrics), (",,;;,application/openmetrics-text", .openMetrics),
      ("application/openmetrics-text;q=9", .prometheus), ("application/openmetrics-text;q=1.0000", .prometheus),
    ] as [(String?, ExpositionFormat)])
  func `Accept chooses the format`(accept: String?, format: ExpositionFormat) {
    #expect(ExpositionFormat(accept: accept) == format)
  }

  private func writeExample(_ writer: inout ExpositionWriter) {
    let counter = MetricFamily("x_total", .counter, by: ["name"], "Help with a \\ and a\nline.")
    writer.begin(counter)
    writer.sample(counter, ["a\"b\\c\nd"], .count(.max))
    let gauge = MetricFamily("y", .gauge, "Level.")
    writer.begin(gauge)
    writer.sample(gauge, [], .level(-3))
    let times = Histogram(.lifetime)
    for milliseconds in [500, 30_000, 35_000, 100_000_000] as [UInt64] { times.record(milliseconds) }
    let histogram = MetricFamily("z_seconds", .histogram, "Times.")
    writer.begin(histogram)
    writer.histogram(histogram, [], times.snapshot)
  }
}

/// A scrape in which every family has samples.
func busyScrape(_ format: ExpositionFormat) -> String {
  let reactors = (0..<2).map { _ in ReactorMetrics(layout: layout) }
  for metrics in reactors {
    metrics.waitingClientsChanged(by: 1)
    metrics.connectionOpened(listener: 0, protocol: .http2)
    metrics.connectionClosed(
      listener: 0, protocol: .http2, route: 0, initiator: .worker, code: 1_014, lifetime: .seconds(70))
    metrics.tlsHandshakeFinished(result: .completed, version: .tls13, resumed: true, duration: .milliseconds(2))
    metrics.handshakeFinished(route: nil, result: .noRoute, duration: .microseconds(80))
    metrics.handshakeFinished(route: 1, result: .accepted, duration: .milliseconds(4))
    metrics.httpRequestAnswered(route: 0, status: 404)
    metrics.tokenLookedUp(.hit)
    metrics.messageForwarded(route: 0, direction: .sent, type: .binary, bytes: 4_096)
    metrics.messageTransited(.sent, after: .microseconds(20))
    metrics.forwardingSpoofed()
    metrics.protocolError(route: 0, side: .worker, error: 1)
    metrics.slowConsumerClosed(route: 1)
    metrics.sendQueueChanged(by: 512)
    metrics.workerConnected(after: .microseconds(300))
    metrics.eventLoopLagged(nanoseconds: 70_000)
  }
  let control = ControlCounters()
  control.adminActed("rule.add", result: .done)
  let values = ScrapeValues(
    version: "1.0", revision: "abc", tlsLibrary: "OpenSSL 3", isDraining: true, logRecordsDropped: 3,
    certificates: [CertificateSample(name: "chat.example.com", notAfter: WallTime(seconds: 1_800_000_000))],
    keySets: [KeySetSample(auth: "main", age: .seconds(7)), KeySetSample(auth: "idle", age: nil)],
    connectedClients: 4, clientLimit: 900,
    pools: [PoolSample(name: "chat", readyWorkers: 1), PoolSample(name: "empty", readyWorkers: 0)],
    workers: [WorkerSample(pool: "chat", worker: "/run/chat/1.sock", isUp: true, connections: 2, connectFailures: ["hung": 1])],
    limiters: [LimiterSample(scope: "ip", entries: 7, evictions: 1)], control: control.sample,
    process: ProcessSample(
      cpuSeconds: 1.25, residentBytes: 10_000_000, virtualBytes: 90_000_000, openDescriptors: 20, maxDescriptors: 20_000,
      startTime: WallTime(nanoseconds: 1_700_000_000_500_000_000)))
  return String(decoding: Exposition.render(values, reactors: reactors, as: format), as: UTF8.self)
}
