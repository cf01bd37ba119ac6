public import EdgeCore

/// What `top` shows: the edge's totals, turned into rates from one look to the next.
public struct TopModel: Sendable {
  private var sample: Sample?
  private var rates: [String: Double] = [:]
  private var received = Sparkline()
  private var sent = Sparkline()
  private var opened = Sparkline()

  /// Makes a model that has seen nothing.
  public init() {}

  /// Takes a look at the edge.
  ///
  /// - Parameters:
  ///   - status: `GET /status`.
  ///   - talkers: `GET /top` by address and by user; none where the edge has none.
  ///   - workers: `GET /workers`.
  ///   - now: when it answered.
  public mutating func take(status: JSON, talkers: [JSON], workers: JSON, now: Instant) {
    let next = Sample(at: now, status: status, talkers: talkers, workers: workers)
    rates = sample.map { next.rates(since: $0) } ?? [:]
    if sample != nil {
      received.add(rates["messages_in"] ?? 0)
      sent.add(rates["messages_out"] ?? 0)
      opened.add(rates["accepted"] ?? 0)
    }
    sample = next
  }

  /// The screen's lines: at most `height`, each at most `width` columns wide.
  public func frame(width: Int, height: Int, painter: Painter) -> [String] {
    guard let sample else { return [] }
    var lines = overview(of: sample, width: width, painter: painter)
    lines += [""] + lineTexts(Listing.workers(sample.workers).text(width: width, painter: painter))
    for answer in sample.talkers where answer["top"]?.arrayValue?.isEmpty == false {
      lines += [""] + lineTexts(talkers(answer).text(width: width, painter: painter))
    }
    return Array(lines.prefix(max(0, height)))
  }

  private func overview(of sample: Sample, width: Int, painter: Painter) -> [String] {
    let status = sample.status
    var sheet = Sheet()
    sheet.add(
      "edge", Cell(status["version"]?.stringValue.map { "sluice \($0)" }), Sheet.state(of: status),
      Cell(status["uptime_seconds"]?.numberValue.map { "up \(Figures.duration(seconds: $0))" }), Cell(sample.clock, .faint))
    sheet.add("connections", Sheet.connections(of: status), Sheet.throttled(of: status), Sheet.waiting(of: status))
    let spark = max(8, min(60, width - 60))
    sheet.add("messages in", rate("messages_in"), byteRate("bytes_in"), Cell(received.text(width: spark), .good))
    sheet.add("messages out", rate("messages_out"), byteRate("bytes_out"), Cell(sent.text(width: spark), .good))
    sheet.add("handshakes", rate("accepted"), Cell(opened.text(width: spark), .good))
    sheet.add("refused", refusals)
    sheet.add("send queues", Cell(status["send_queue_bytes"]?.numberValue.map(Figures.bytes)))
    sheet.add("certificate", Sheet.certificate(status["next_certificate_expiry"]))
    sheet.add("configuration", Sheet.configuration(status["config"]))
    return lineTexts(sheet.text(width: width, painter: painter))
  }

  private func talkers(_ answer: JSON) -> TextTable {
    let by = answer["by"]?.stringValue ?? ""
    func pace(_ title: String, _ member: String, _ text: @escaping (Double) -> String) -> Column {
      Column(title, isRightAligned: true) { entry in
        Cell(entry["key"]?.stringValue.flatMap { rates[talkerKey(by, $0, member)] }.map(text))
      }
    }
    return TextTable(
      [
        .text(by == "user" ? "USER" : "ADDRESS", "key", mayShrink: true), .count("CONNECTIONS", "connections"),
        pace("MSGS IN", "messages_in", Figures.rate), pace("OUT", "messages_out", Figures.rate),
        pace("BYTES IN", "bytes_in", Figures.byteRate), pace("OUT", "bytes_out", Figures.byteRate),
        Column("THROTTLED") {
          Cell($0["throttled"] == true ? "yes" : $0["throttled"]?.integerValue.map { $0 > 0 ? "\($0)" : "" }, .warning)
        },
      ], of: answer["top"]?.arrayValue ?? [])
  }

  private func rate(_ name: String) -> Cell? {
    rates[name].map { Cell(Figures.rate($0)) }
  }

  private func byteRate(_ name: String) -> Cell? {
    rates[name].map { Cell(Figures.byteRate($0)) }
  }

  /// The refusals of now, by reason.
  private var refusals: [Cell?] {
    let now = rates.filter { $0.key.hasPrefix(refusedPrefix) && $0.value > 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    guard !now.isEmpty else { return rates["accepted"] == nil ? [] : [Cell("0/s")] }
    return now.prefix(4).map { Cell("\($0.key.dropFirst(refusedPrefix.count)) \(Figures.rate($0.value))", .warning) }
  }
}

/// One look at the edge.
private struct Sample {
  let at: Instant
  let status: JSON
  let talkers: [JSON]
  let workers: JSON

  /// Everything that only grows, by a name of ours.
  private var totals: [String: Double] {
    var totals: [String: Double] = [:]
    for name in trafficMembers { totals[name] = status[name]?.numberValue }
    if let handshakes = Handshakes(status["handshakes"]) {
      totals["accepted"] = Double(handshakes.accepted)
      for refusal in handshakes.refusals { totals[refusedPrefix + refusal.word] = Double(refusal.count) }
    }
    for answer in talkers {
      for entry in answer["top"]?.arrayValue ?? [] {
        guard let by = answer["by"]?.stringValue, let key = entry["key"]?.stringValue else { continue }
        for name in trafficMembers { totals[talkerKey(by, key, name)] = entry[name]?.numberValue }
      }
    }
    return totals
  }

  /// How fast everything grew; what shrank, as in an edge that was restarted, is left out.
  func rates(since earlier: Sample) -> [String: Double] {
    let elapsed = (at - earlier.at).inSeconds
    guard elapsed > 0 else { return [:] }
    let (before, after) = (earlier.totals, totals)
    var rates: [String: Double] = [:]
    for (name, total) in after {
      // A reason that nobody was refused for is not in the list.
      let isFirst = name.hasPrefix(refusedPrefix) && before["accepted"] != nil
      guard let base = before[name] ?? (isFirst ? 0 : nil), total >= base else { continue }
      rates[name] = (total - base) / elapsed
    }
    return rates
  }

  var clock: String? { status["now"]?.stringValue.map { TimeText.timeOfDay($0) } }
}

private func talkerKey(_ by: String, _ key: String, _ member: String) -> String { "\(by)\u{0}\(key)\u{0}\(member)" }

private func lineTexts(_ text: String) -> [String] {
  text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
}

private let trafficMembers = ["messages_in", "messages_out", "bytes_in", "bytes_out"]
private let refusedPrefix = "refused "
