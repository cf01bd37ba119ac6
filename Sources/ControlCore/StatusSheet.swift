public import EdgeCore

extension Sheet {
  /// `GET /status` at a glance.
  public init(status: JSON) {
    self.init()
    add(
      "edge", Cell(status["version"]?.stringValue.map { "sluice \($0)" }), Self.state(of: status),
      Cell(status["uptime_seconds"]?.numberValue.map { "up \(Figures.duration(seconds: $0))" }),
      Cell(status["reactors"]?.integerValue.map { Figures.count($0, "reactor") }))
    if let drain = status["drain"], !drain.isNull {
      add(
        "drain", Cell(drain["began_at"]?.stringValue.map { "since \(TimeText.full($0))" }),
        Cell(drain["ends_at"]?.stringValue.map { "until \(TimeText.full($0))" }),
        Cell(drain["spread_seconds"]?.numberValue.map { "closes spread over \(Figures.duration(seconds: $0))" }))
    }
    add("connections", Self.connections(of: status), Self.throttled(of: status), Self.waiting(of: status))
    add(
      "messages", Cell(Self.both(status, "messages", Figures.count)),
      Cell(Self.both(status, "bytes") { Figures.bytes(Double($0)) }))
    if let handshakes = Handshakes(status["handshakes"]) {
      let refused = handshakes.refusals.prefix(5).map { "\($0.word) \(Figures.count($0.count))" }.joined(separator: ", ")
      add(
        "handshakes", Cell("\(Figures.count(handshakes.accepted)) accepted"),
        handshakes.refused == 0 ? nil : Cell("\(Figures.count(handshakes.refused)) refused: \(refused)", .warning))
    }
    add("send queues", Cell(status["send_queue_bytes"]?.numberValue.map(Figures.bytes)))
    add("routes", Cell(status["routes"]?.arrayValue?.compactMap(\.text).joined(separator: ", ")))
    add("certificate", Self.certificate(status["next_certificate_expiry"]))
    add("configuration", Self.configuration(status["config"]))
  }

  static func state(of status: JSON) -> Cell? {
    if status["draining"]?.boolValue == true { return Cell("draining", .warning) }
    return status["ready"]?.boolValue.map { $0 ? Cell("ready", .good) : Cell("not ready", .bad) }
  }

  static func connections(of status: JSON) -> Cell? {
    guard let open = status["connections"]?.integerValue, let most = status["max_connections"]?.integerValue else { return nil }
    return Cell("\(Figures.count(open)) of \(Figures.count(most))", open * 10 >= most * 9 ? .bad : .plain)
  }

  static func throttled(of status: JSON) -> Cell? {
    status["throttled_connections"]?.integerValue.map { Cell("\(Figures.count($0)) throttled", $0 > 0 ? .warning : .plain) }
  }

  static func waiting(of status: JSON) -> Cell? {
    status["clients_waiting"]?.integerValue.map { Cell("\(Figures.count($0)) waiting to come in", $0 > 0 ? .warning : .plain) }
  }

  static func certificate(_ expiry: JSON?) -> Cell? {
    guard let days = expiry?["days_left"]?.numberValue, let name = expiry?["name"]?.stringValue else { return nil }
    let left = Figures.count(Int64(days.rounded(.down)), "day")
    return Cell("\(TerminalText.safe(name, maxWidth: 64)) ends in \(left)", days < 7 ? .bad : days < 30 ? .warning : .plain)
  }

  static func configuration(_ config: JSON?) -> [Cell?] {
    let reload = config?["last_reload"]?["result"]?.stringValue
    return [
      Cell(config?["file"]?.stringValue),
      Cell(config?["age_seconds"]?.numberValue.map { "loaded \(Figures.duration(seconds: $0)) ago" }),
      Cell(reload.map { "last reload \($0)" }, reload == "failed" ? .bad : .plain),
    ]
  }

  private static func both(_ status: JSON, _ what: String, _ text: (Int64) -> String) -> String? {
    guard let received = status["\(what)_in"]?.integerValue, let sent = status["\(what)_out"]?.integerValue else { return nil }
    return "\(text(received)) in, \(text(sent)) out"
  }
}

extension Sheet {
  /// `GET /connections/{id}`: everything about one.
  public init(connection: JSON) {
    self.init()
    for member in connection.members ?? [] {
      let value = member.value
      switch member.name {
      case "age_seconds", "idle_seconds":
        add(String(member.name.dropLast("_seconds".count)), Cell(value.numberValue.map { Figures.duration(seconds: $0) }))
      case "opened_at", "closed_at": add(member.name.spaced, Cell(value.stringValue.map(TimeText.full)))
      case "bytes_in", "bytes_out", "queued_bytes": add(member.name.spaced, Cell(value.numberValue.map(Figures.bytes)))
      case "throttle":
        add(
          "throttle", Cell(value["messages_per_second"]?.text.map { "\($0) messages/s" }, .warning),
          Cell(value["burst"]?.text.map { "burst \($0)" }),
          Cell(value["bytes_per_second"]?.numberValue.map(Figures.byteRate), .warning),
          Cell(value["until"]?.stringValue.map { "until \(TimeText.full($0))" }))
      default: add(member.name.spaced, Cell(value.integerValue.map(Figures.count) ?? value.text))
      }
    }
  }
}

extension String {
  fileprivate var spaced: String { split(separator: "_").joined(separator: " ") }
}
