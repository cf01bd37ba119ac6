internal import EdgeCore
internal import EdgePolicy

/// How connections are closed: the body of `DELETE /api/v1/connections/{id}`, `{"code": 4403, "reason": "kicked"}`, both members
/// optional, as is the body.
public struct DisconnectOrder: Equatable, Sendable {
  /// A close code that an endpoint may send (RFC 6455 §7.4).
  public let code: UInt16
  /// At most 123 bytes, what a Close frame has room for (RFC 6455 §5.5), without control characters.
  public let reason: String

  init(_ request: AdminRequest) throws(AdminProblem) {
    self = try request.members { members throws(RuleFlaw) in try DisconnectOrder(taking: &members) }
  }

  /// Takes the members `code` and `reason` out.
  init(taking members: inout RuleMembers) throws(RuleFlaw) {
    code =
      try members.take("code", expecting: "1000, 1001, 1008, 1011, 1012, 1013 or from 3000 to 4999") { value in
        value.integerValue.flatMap { UInt16(exactly: $0) }.flatMap { maySend($0) ? $0 : nil }
      } ?? defaultCode
    reason =
      try members.take("reason", expecting: "text of at most \(maxReasonBytes) bytes without control characters") { value in
        value.stringValue.flatMap { isReason($0) ? $0 : nil }
      } ?? defaultReason
  }

  var json: JSON { .object(members) }

  var members: [JSON.Member] {
    [.init(name: "code", value: .integer(Int64(code))), .init(name: "reason", value: .string(reason))]
  }
}

/// Many connections to be closed: the body of `POST /api/v1/connections/disconnect`.
public struct BulkDisconnectOrder: Equatable, Sendable {
  /// Which.
  public let filter: ConnectionFilter
  /// How.
  public let close: DisconnectOrder
  /// How many in a second, evenly; nil is as fast as it goes.
  public let rate: Int?
  /// Whether they are only counted.
  public let isRehearsal: Bool
  /// Whether it may be all there are.
  let isSweepingMeant: Bool

  init(_ request: AdminRequest) throws(AdminProblem) {
    self = try request.members { members throws(RuleFlaw) in try BulkDisconnectOrder(taking: &members) }
  }

  private init(taking members: inout RuleMembers) throws(RuleFlaw) {
    let selector = try members.take("selector", expecting: "an object") { $0.members.map { JSON.object($0) } }
    do throws(RuleFlaw) {
      filter = try ConnectionFilter(selector: selector ?? [:])
    } catch {
      throw RuleFlaw("selector.\(error.member)", error.description)
    }
    close = try DisconnectOrder(taking: &members)
    rate = try members.take("rate_per_second", expecting: "a whole number from 1 to \(maxRate)") { value in
      value.integerValue.flatMap { (1...Int64(maxRate)).contains($0) ? Int($0) : nil }
    }
    isRehearsal = try members.take("dry_run", expecting: "true or false", \.boolValue) ?? false
    isSweepingMeant = try members.take("all", expecting: "true or false", \.boolValue) ?? false
    guard !filter.isEmpty || isSweepingMeant else {
      throw RuleFlaw("selector", "the selector names nothing, and so everybody: say \"all\": true if you mean it")
    }
  }

  /// Whether everybody is meant.
  var isSweeping: Bool { filter.isEmpty }

  /// What is said of it in the audit log.
  var members: [JSON.Member] {
    let rest: [JSON.Member] = [
      .init(name: "rate_per_second", value: rate.map { .integer(Int64($0)) } ?? .null),
      .init(name: "dry_run", value: .bool(isRehearsal)),
    ]
    return [.init(name: "selector", value: filter.json)] + close.members + rest
  }
}

extension ConnectionFilter {
  /// Reads what the query parameters of the list say too, and `ids`.
  fileprivate init(selector: JSON) throws(RuleFlaw) {
    self.init()
    var members = try RuleMembers(selector)
    user = try members.take("user", expecting: "text", \.stringValue)
    addresses = try members.take("ip", expecting: "an address or a CIDR block") { $0.stringValue.flatMap { CIDR($0) } }
    route = try members.take("route", expecting: "text", \.stringValue)
    worker = try members.take("worker", expecting: "text", \.stringValue)
    origin = try members.take("origin", expecting: "text", \.stringValue)
    isThrottled = try members.take("throttled", expecting: "true or false", \.boolValue)
    idleLongerThan = try members.take("idle_gt", expecting: durationForm) { $0.duration }
    olderThan = try members.take("age_gt", expecting: durationForm) { $0.duration }
    ids = try members.take("ids", expecting: "an array of connections' identifiers, not empty") { value in
      guard let elements = value.arrayValue, !elements.isEmpty else { return nil }
      let ids = elements.compactMap { $0.stringValue.flatMap { ConnectionID($0) } }
      return ids.count == elements.count ? Set(ids) : nil
    }
    try members.finish()
  }

  fileprivate var json: JSON {
    let members: [(String, JSON?)] = [
      ("user", user.map(JSON.string)), ("ip", (addresses?.description).map(JSON.string)), ("route", route.map(JSON.string)),
      ("worker", worker.map(JSON.string)), ("origin", origin.map(JSON.string)), ("throttled", isThrottled.map(JSON.bool)),
      ("idle_gt", idleLongerThan.map { .number($0.inSeconds) }), ("age_gt", olderThan.map { .number($0.inSeconds) }),
      // Their number: there may be thousands.
      ("ids", ids.map { .integer(Int64($0.count)) }),
    ]
    return .object(members.compactMap { name, value in value.map { JSON.Member(name: name, value: $0) } })
  }
}

extension JSON {
  /// A duration as text or a whole number of seconds.
  fileprivate var duration: Duration? {
    if let text = stringValue { return EdgeAdmin.duration(text) }
    return integerValue.flatMap { (0...maxSeconds).contains($0) ? .seconds($0) : nil }
  }
}

extension AdminRequest {
  /// Reads the members of the body, of which there are none where there is no body.
  func members<Order>(_ read: (inout RuleMembers) throws(RuleFlaw) -> Order) throws(AdminProblem) -> Order {
    let body = try json() ?? [:]
    guard body.members != nil else { throw AdminProblem(400, "bad_body", "The body must be a JSON object.") }
    do throws(RuleFlaw) {
      var members = try RuleMembers(body)
      let order = try read(&members)
      try members.finish()
      return order
    } catch {
      throw AdminProblem(400, "bad_body", "\(error).").about(error.member)
    }
  }
}

private func maySend(_ code: UInt16) -> Bool {
  switch code {
  case 1000, 1001, 1008, 1011, 1012, 1013, 3000...4999: true
  default: false
  }
}

private func isReason(_ text: String) -> Bool {
  text.utf8.count <= maxReasonBytes && !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
}

private let defaultCode: UInt16 = 4403
private let defaultReason = "kicked"
private let maxReasonBytes = 123
private let maxRate = 10_000
private let maxSeconds: Int64 = 10 * 365 * 86_400
