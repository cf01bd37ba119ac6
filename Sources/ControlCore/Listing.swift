public import EdgeCore

/// The lists of the API as tables.
public enum Listing {
  /// `GET /connections`: a row for each.
  public static func connections(_ page: JSON) -> TextTable {
    TextTable(
      [
        .text("ID", "id"), .text("STATE", "state"), .text("USER", "user", mayShrink: true), .text("ADDRESS", "client_address"),
        .text("ROUTE", "route", mayShrink: true),
        Column("WORKER", mayShrink: true) { Cell(shortName(ofSocket: $0["worker"]?.stringValue)) },
        .duration("AGE", "age_seconds"), .duration("IDLE", "idle_seconds"), .count("MSGS IN", "messages_in"),
        .count("OUT", "messages_out"), .bytes("BYTES IN", "bytes_in"), .bytes("OUT", "bytes_out"),
        Column("QUEUED", isRightAligned: true) { entry in
          entry["queued_bytes"]?.numberValue.map { $0 > 0 ? Cell(Figures.bytes($0), .warning) : Cell("") } ?? Cell("")
        },
        Column("THROTTLE") { Cell(throttle($0), .warning) }, Column("CLOSED", mayShrink: true) { Cell(end($0)) },
      ], of: page["connections"]?.arrayValue ?? [])
  }

  /// `GET /workers`.
  public static func workers(_ answer: JSON) -> TextTable {
    TextTable(
      [
        Column("WORKER", mayShrink: true) { Cell(workerName($0)) },
        .text("POOL", "pool", mayShrink: true), Column("STATE") { state($0["state"]?.stringValue) },
        Column("UP") { $0["up"]?.boolValue == true ? Cell("up", .good) : Cell("down", .bad) },
        .count("CONNECTIONS", "connections"), .count("WEIGHT", "weight"),
        Column("FAILURES", isRightAligned: true) { entry in
          entry["connect_failures"]?.integerValue.map { Cell(Figures.count($0), $0 > 0 ? .warning : .plain) } ?? Cell("")
        },
        .text("PATH", "path", mayShrink: true),
      ], of: answer["workers"]?.arrayValue ?? [])
  }

  /// `GET /rules`.
  public static func rules(_ page: JSON) -> TextTable {
    let now = page["now"]?.stringValue.flatMap { WallTime(rfc3339: $0) }
    return TextTable(
      [
        .text("RULE", "id"), Column("ACTION") { Cell($0["action"]?.stringValue, $0["action"] == "ban" ? .bad : .warning) },
        Column("WHOM", mayShrink: true) { Cell(whom($0)) }, Column("RATE") { Cell(rates($0)) },
        Column("ENDS IN", isRightAligned: true) { Cell(timeLeft($0["expires"]?.stringValue, now: now)) },
        .time("MADE", "created"), .text("BY", "by", mayShrink: true), .text("REASON", "reason", mayShrink: true),
      ], of: page["rules"]?.arrayValue ?? [])
  }

  /// `GET /routes`.
  public static func routes(_ answer: JSON) -> TextTable {
    TextTable(
      [
        .text("ROUTE", "name"), Column("HOST", mayShrink: true) { Cell($0["host"]?.stringValue ?? "any") }, .text("PATH", "path"),
        .text("POOL", "pool"), Column("AUTH") { $0["auth"]?.stringValue.map { Cell($0) } ?? Cell("open", .warning) },
        Column("ORIGINS", mayShrink: true) { entry in
          Cell(entry["origins"]?.text ?? entry["origins"]?.arrayValue?.compactMap(\.text).joined(separator: " "))
        },
        .count("CONNECTIONS", "connections"), .count("MSGS IN", "messages_in"), .count("OUT", "messages_out"),
        Column("ACCEPTED", isRightAligned: true) { Cell($0["handshakes"]?["accepted"]?.integerValue.map(Figures.count)) },
        Column("REFUSED", isRightAligned: true) { Cell(Handshakes($0["handshakes"]).map { Figures.count($0.refused) }) },
      ], of: answer["routes"]?.arrayValue ?? [])
  }

  /// `GET /certs`.
  public static func certificates(_ answer: JSON) -> TextTable {
    TextTable(
      [
        .text("LISTENER", "listener"), .text("NAME", "name", mayShrink: true), .list("NAMES", "names"),
        .text("ISSUER", "issuer", mayShrink: true), .text("KEY", "key_type"), .time("ENDS", "not_after"),
        Column("DAYS LEFT", isRightAligned: true) { entry in
          guard let days = entry["days_left"]?.numberValue else { return Cell("") }
          return Cell(Figures.count(Int64(days.rounded(.down))), days < 7 ? .bad : days < 30 ? .warning : .good)
        },
      ], of: answer["certificates"]?.arrayValue ?? [])
  }

  /// `GET /keys`: a row for each key, and one for each source without any.
  public static func keys(_ answer: JSON) -> TextTable {
    let rows = (answer["keys"]?.arrayValue ?? []).flatMap { source -> [[Cell]] in
      let age = source["age_seconds"]?.numberValue.map { Figures.duration(seconds: $0) }
      let ends = [Cell(source["source"]?.stringValue), Cell(source["location"]?.stringValue), Cell(age)]
      let keys = source["keys"]?.arrayValue ?? []
      guard !keys.isEmpty else { return [[Cell(source["auth"]?.stringValue), Cell("none", .bad), Cell("")] + ends] }
      return keys.map { key in
        [Cell(source["auth"]?.stringValue), Cell(key["kid"]?.stringValue ?? "-"), Cell(key["algorithm"]?.stringValue)] + ends
      }
    }
    return TextTable(
      [
        .init("AUTH"), .init("KEY", mayShrink: true), .init("ALGORITHM"), .init("SOURCE"), .init("LOCATION", mayShrink: true),
        .init("AGE", isRightAligned: true),
      ], rows: rows)
  }

  /// The talkers of `GET /top`.
  public static func talkers(_ answer: JSON) -> TextTable {
    TextTable(
      [
        .text(answer["by"] == "user" ? "USER" : "ADDRESS", "key", mayShrink: true), .count("CONNECTIONS", "connections"),
        .count("MSGS IN", "messages_in"), .count("OUT", "messages_out"), .bytes("BYTES IN", "bytes_in"),
        .bytes("OUT", "bytes_out"),
        .text("THROTTLED", "throttled"),
      ], of: answer["top"]?.arrayValue ?? [])
  }
}

extension Listing {
  /// What a worker is called in the list.
  public static func workerName(_ worker: JSON) -> String {
    TerminalText.safe(worker["name"]?.stringValue ?? shortName(ofSocket: worker["path"]?.stringValue) ?? "")
  }

  /// The last part of a socket's path without its ending.
  public static func shortName(ofSocket path: String?) -> String? {
    guard let name = path?.split(separator: "/").last else { return path }
    return String(name.hasSuffix(".sock") ? name.dropLast(".sock".count) : name)
  }
}

private func state(_ word: String?) -> Cell {
  switch word {
  case "ready"?: Cell("ready", .good)
  case let word?: Cell(word, .warning)
  case nil: Cell("")
  }
}

private func throttle(_ connection: JSON) -> String? {
  guard let throttle = connection["throttle"], !throttle.isNull else {
    return connection["throttled"]?.boolValue == true ? "yes" : nil
  }
  let rates = [
    throttle["messages_per_second"]?.text.map { "\($0)/s" },
    throttle["bytes_per_second"]?.numberValue.map(Figures.byteRate),
  ]
  return rates.compactMap { $0 }.joined(separator: " ")
}

private func end(_ connection: JSON) -> String? {
  guard let code = connection["close_code"]?.text else { return nil }
  let words = [code, connection["close_reason"]?.stringValue, connection["close_initiator"]?.stringValue.map { "by \($0)" }]
  return words.compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " ")
}

private func whom(_ rule: JSON) -> String {
  let members = ["user", "cidr", "jti", "issued_before", "auth"]
  let words = members.compactMap { name in
    rule[name]?.stringValue.map { name == "user" || name == "cidr" ? "\(name == "user" ? "user " : "")\($0)" : "\(name) \($0)" }
  }
  return words.joined(separator: ", ")
}

private func rates(_ rule: JSON) -> String? {
  let rates = ["messages", "bytes"].compactMap { name -> String? in
    guard let count = rule[name]?["count"]?.numberValue, let period = rule[name]?["per_ms"]?.numberValue, period > 0 else {
      return nil
    }
    let perSecond = count * 1_000 / period
    return name == "messages" ? Figures.rate(perSecond) : Figures.byteRate(perSecond)
  }
  return rates.isEmpty ? nil : rates.joined(separator: " ")
}

private func timeLeft(_ end: String?, now: WallTime?) -> String? {
  guard let end, let end = WallTime(rfc3339: end), let now else { return end == nil ? "never" : nil }
  return Figures.duration(seconds: (end - now).inSeconds)
}
